"""A trainer of verl on one CPU: a platform without an accelerator, and our engine as its server.

verl imports this module in each of its processes (`VERL_USE_EXTERNAL_MODULES=verl_on_cpu`). What it
replaces is what needs a GPU: the platform, the rollout server, and the video half of a processor.
Its trainer, workers, queue, agent loops, losses and optimizer are its own.
"""

from __future__ import annotations

import contextlib
import types
from dataclasses import replace
from typing import Any

import numpy as np
import ray
import torch
import verl.workers.config.model as model_config
from transformers import Qwen2_5_VLModel
from verl.plugin.platform import platform_manager
from verl.plugin.platform.platform_base import PlatformBase
from verl.workers.rollout import base as rollouts
from verl.workers.rollout.replica import RolloutReplica, RolloutReplicaRegistry, TokenOutput

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.scoring import score
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import Piece, TokenTrajectory, TrajectoryBuilder
from pixel_env.dialects import get_dialect

NAME = "pixel_reason_engine"
ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.0, 0.0, 0.5, 0.5], "target_image": 1}}\n</tool_call>'
)


class _Device(types.ModuleType):
    """`torch.cpu`, with the calls about memory that only accelerators have."""

    def get_device_name(self, *_: Any) -> str:
        return "CPU"

    def mem_get_info(self, *_: Any) -> tuple[int, int]:
        return 2**33, 2**34

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(torch.cpu, name, None)
        return found if found is not None else lambda *_, **__: 0


@platform_manager.PlatformRegistry.register(platform="cpu")
class CPU(PlatformBase):
    """A platform without an accelerator."""

    device_name = "cpu"
    vendor_name = "none"
    device_module = _Device("cpu")

    def is_available(self):
        return True

    def current_device(self):
        return "cpu"  # a number would mean an accelerator

    def device_count(self):
        return 1

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "CUDA_VISIBLE_DEVICES"

    def ray_resource_name(self):
        return "GPU"  # of which Ray is told that there is one

    def ray_noset_envvars(self):
        return []

    def is_ipc_supported(self):
        return False

    def get_device_capability(self, device_index=0):
        return None, None

    @contextlib.contextmanager
    def nvtx_range(self, msg):
        yield

    def set_device(self, device_index): ...
    def synchronize(self, device_index=None): ...
    def manual_seed(self, seed): ...
    def manual_seed_all(self, seed): ...
    def set_allocator_settings(self, settings): ...
    def empty_cache(self): ...
    def profiler_start(self): ...
    def profiler_stop(self): ...
    def cudart(self): ...


def _processor(path: str, **_: Any) -> Any:
    from verl_parts import processor_of

    made = processor_of(path)
    made.config = model_config.AutoConfig.from_pretrained(path)
    for name in ("get_rope_index", "get_vision_position_ids"):
        setattr(made, name, types.MethodType(getattr(Qwen2_5_VLModel, name), made))
    return made


model_config.hf_processor = _processor
_init_process_group = torch.distributed.init_process_group


def _with_gloo(backend: str | None = None, **settings: Any) -> None:
    """Opens the group; verl names the backend of the CPU and of the device, here the same."""
    _init_process_group("gloo" if backend == "cpu:gloo,cpu:gloo" else backend, **settings)


torch.distributed.init_process_group = _with_gloo


@ray.remote(num_cpus=0)
class Server:
    """Serves messages from our own engine, token ids in and out."""

    def __init__(self, path: str) -> None:
        parts = load(path)
        self.encoder = Encoder(
            parts.tokenizer, parts.image_processor, get_dialect("pixel-reasoner")
        )
        self.model, self.steps, self.n_served = parts.model, 0, 0

    async def generate(self, request_id, prompt_ids, sampling_params, image_data=None, **_):
        images = self.encoder.images([np.asarray(each) for each in image_data or ()])
        ids = np.array(prompt_ids, np.int64)
        is_image = ids == self.encoder.image_id
        starts = np.flatnonzero(is_image & ~np.append(False, is_image[:-1]))
        piece = Piece(ids, images, tuple(starts.tolist()))
        self.n_served += len(images) == 1
        calls = len(images) == 1 and self.n_served % 8 == 0  # one rollout of two groups of four
        made = self._scripted(piece) if calls else self._sampled(piece, sampling_params)
        new = slice(len(ids), None)
        return TokenOutput(
            token_ids=made.ids[new].tolist(),
            log_probs=made.logprobs[new].tolist(),
            stop_reason="completed",
            extra_fields={"global_steps": self.steps},
        )

    def _sampled(self, piece: Piece, params: dict[str, Any]) -> TokenTrajectory:
        """Samples a message."""
        config = GenerationConfig(max_new_tokens=min(params["max_tokens"], 32), max_context=4096)
        session = Session(Engine(self.model, self.encoder, config))
        session.begin(0, seed=[self.n_served, len(piece)])
        lane = session._lanes[0]  # `hear` takes observations, and this is tokens already
        lane.record.add_prompt(piece)
        lane.unread = piece
        session.speak([0])
        return session.end(0).build()

    def _scripted(self, piece: Piece) -> TokenTrajectory:
        """Returns a zoom, which the tiny policy doesn't know yet, as if it had been sampled."""
        builder = TrajectoryBuilder()
        builder.add_prompt(piece)
        builder.add_response(self.encoder.message_ids(ZOOM))
        made = builder.build()
        with torch.no_grad():
            scores = score(self.model.eval(), [made], self.encoder)
        return replace(made, logprobs=scores.logprobs[0].numpy())

    async def push(self, weights, steps):
        missing = self.model.load_state_dict(weights, strict=False)
        assert not missing.unexpected_keys, missing.unexpected_keys
        self.steps = self.steps if steps is None else steps

    async def sleep(self): ...
    async def wake_up(self): ...
    async def clear_kv_cache(self): ...


class Replica(RolloutReplica):
    """One server, found by its name."""

    async def launch_servers(self):
        handle = Server.options(name=NAME).remote(self.model_config.path)
        self.servers, self._server_handle, self._server_address = [handle], handle, "0.0.0.0:0"


class Adapter(rollouts.BaseRollout):
    """Pushes the trainer's weights to the server."""

    async def resume(self, tags): ...
    async def release(self): ...

    async def update_weights(self, weights, global_steps=None, **_):
        given = {name: tensor.detach().cpu().clone() for name, tensor in weights}
        await ray.get_actor(NAME).push.remote(given, global_steps)


RolloutReplicaRegistry.register(NAME, lambda: Replica)
rollouts._ROLLOUT_REGISTRY[(NAME, "async")] = f"{__name__}.Adapter"
