"""One model through a training's parts, each measured: build, warm start, rollout, check, update.

The code is the training's own: `ImitationTrainer`, `GroupRollouts` on the engine, `PolicyUpdate`.
The weights are random (`random_model.py`). The actions are scripted (`scripted_lanes.py`): the
policy samples every token itself, and its observations are those of scripted zooms.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

import gymnasium as gym
import torch

from pixel_env.chat.conversation import SystemPrompt
from pixel_env.dialects import get_dialect

from ..generation.engine import Engine
from ..generation.session import Session
from ..model.loading import DTYPES
from ..model.settings import ModelSettings
from ..model.shapes import ModelShape, shrunk
from ..on_policy.groups import GroupRollouts
from ..on_policy.replay_buffer import Experience
from ..on_policy.update import PolicyUpdate
from ..run.config import RunConfig
from ..run.lanes import training_lanes
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from ..warm_start.demonstration import encode
from ..warm_start.imitation import ImitationTrainer
from ..warm_start.synthesis import Synthesis
from .agreement import Agreement, compare
from .comparisons import decoding_seconds, gradients, kernels, packed, rates, towers
from .config import GpuBenchConfig
from .device_meter import Deadline, DeviceMeter, MeasuredPart, check_finite, over_capacity, watch
from .model_report import PARTS, ModelReport
from .operations import gradient_operations
from .random_model import random_model, text_and_picture_tools
from .scripted_lanes import ScriptedLanes
from .workload import estimates, workload

PICTURES = 8
"""Pictures on which the vision towers are compared."""

REFERENCE_LAYERS = 2
"""Layers of each tower in the float32 check: as many weights as fit beside nothing else."""

Note = Callable[[str, str], None]
"""Called with what begins: the model and the part."""


class ModelBench:
    """Runs the parts of one model."""

    def __init__(self, config: GpuBenchConfig, model: str, deadline: Deadline, note: Note) -> None:
        """Takes the settings, the model's short name, when to stop, and a watcher of the parts."""
        self._config = config
        self._name = model
        self._shape = config.shape(model)
        self._run = config.run(model)
        self._deadline = deadline
        self._note = note
        self._meter = DeviceMeter(config.device, deadline)
        self._model: Any = None
        self._encoder = _encoder(self._shape, self._run)
        self._demonstrations: list[TokenTrajectory] = []
        self._experiences: list[Experience] = []
        self._agreement: Agreement | None = None
        self._reference: Agreement | None = None
        self._rates: dict[str, float] = {}

    def run(self) -> ModelReport:
        """Runs every part; a failure is in the report, and the others go on."""
        works = (
            self._rate,
            self._check_in_float32,
            self._demonstrate,
            self._build,
            self._see,
            self._imitate,
            self._roll_out,
            self._check,
            self._update,
            self._take_gradients,
            self._profile,
        )
        parts = []
        for name, work in zip(PARTS, works, strict=True):
            if name == "kernels" and not self._config.profile:
                continue
            self._note(self._name, name)
            missing = self._missing(name)
            part = MeasuredPart(name, missing) if missing else self._meter.measure(name, work)
            parts.append(part)
            if self._model is not None:
                self._model.zero_grad(set_to_none=True)  # of a step that wasn't finished
        known: dict[str, float] = {}
        load = None
        if self._trajectories():
            load = workload(self._run, self._trajectories())
            known = estimates(self._shape, load)
        if self._demonstrations:
            known["warm start"] = self._warm_start_bytes()
        return ModelReport(
            self._name,
            self._shape.weights,
            tuple(replace(part, estimated=known.get(part.name)) for part in parts),
            self._agreement,
            self._reference,
            asdict(load) if load else {},
        )

    def _missing(self, name: str) -> str:
        """Returns why a part can't begin; "" where it can."""
        if name == "build":
            shown = self._demonstrations
            needed = (
                estimates(self._shape, workload(self._run, shown))["warm start"] if shown else 0
            )
            return over_capacity(needed, self._config.device)
        if name in PARTS[PARTS.index("tower") :] and self._model is None:
            return "not run: there is no model"
        if name in ("tower", "warm start") and not self._demonstrations:
            return "not run: there are no demonstrations"
        if name in ("check", "gradients", "kernels") and not self._experiences:
            return "not run: there are no rollouts"
        if name == "update" and not self._trajectories():
            return "not run: there is nothing to learn from"
        return ""

    def _warm_start_bytes(self) -> float:
        """Returns the plan's bytes for a warm start on the demonstrations; 0 without any."""
        if not self._demonstrations:
            return 0.0
        return estimates(self._shape, workload(self._run, self._demonstrations))["warm start"]

    def _rate(self) -> dict[str, float]:
        """Measures what the device can do at most, in the dtype of the training."""
        self._rates = rates(self._config.device, DTYPES[self._run.loading.dtype])
        return self._rates

    def _see(self) -> dict[str, float]:
        """Compares the vision tower with transformers' own on the demonstrations' pictures."""
        images = [image for each in self._demonstrations for image in each.images]
        return towers(self._model, images[:PICTURES], self._config.device)

    def _take_gradients(self) -> dict[str, float]:
        """Compares packed rows with padded ones on one group of rollouts."""
        group = self._trajectories()[: self._config.group_size]
        n_tokens = self._config.tokens_per_micro_batch
        return gradients(self._model, self._encoder, group, n_tokens, self._config.device)

    def _profile(self) -> dict[str, float]:
        """Lists the kernels of the gradient of one group."""
        group = self._trajectories()[: self._config.group_size]
        return kernels(self._model, self._encoder, group, self._config.device)

    def _check_in_float32(self) -> dict[str, float]:
        """Compares log-probabilities of a few layers of the model in float32."""
        torch.set_float32_matmul_precision("highest")  # some installations turn TF32 on
        shape = shrunk(self._shape, REFERENCE_LAYERS)
        loading = ModelSettings(dtype="float32", device=self._config.device)
        rl = replace(self._run.on_policy, groups_per_iteration=1)
        run = replace(self._run, loading=loading, on_policy=rl)
        model = random_model(shape, loading, self._config.seed).model
        watch(model, self._deadline)
        rollouts = _trajectories_of(self._rollouts(model, run))
        self._reference = compare(model, rollouts, self._encoder, shape, "float32")
        return {"rollouts": len(rollouts)}

    def _demonstrate(self) -> dict[str, float]:
        """Makes the demonstrations and encodes them; this runs on the host."""
        env = gym.make(self._run.env, **self._run.env_args)
        made = Synthesis(env, self._run.demonstrations, self._run.dialect).run()
        self._demonstrations = [encode(each, self._encoder) for each in made]
        return {"rollouts": len(self._demonstrations)}

    def _build(self) -> dict[str, float]:
        """Builds the model on its device."""
        loading = self._run.loading
        self._model = random_model(self._shape, loading, self._config.seed).model
        watch(self._model, self._deadline)
        trained = sum(p.numel() for p in self._model.parameters() if p.requires_grad)
        return {"trained weights": trained}

    def _imitate(self) -> dict[str, float]:
        """Takes two warm-start steps; the second is the one that counts."""
        steps: list[Mapping[str, float]] = []
        trainer = ImitationTrainer(
            self._model, self._encoder, self._demonstrations, self._run.imitation
        )
        trainer.train(on_step=lambda _, metrics: steps.append(metrics))
        last = steps[-1]
        check_finite(last, "imitation/loss", "imitation/grad_norm")
        return {
            "tokens": sum(len(each) for each in self._demonstrations),
            "seconds": last["imitation/seconds"],
            "first step's seconds": steps[0]["imitation/seconds"],
            "loss": last["imitation/loss"],
        }

    def _roll_out(self) -> dict[str, float]:
        """Runs the groups, every token sampled by the model."""
        self._experiences = self._rollouts(self._model, self._run)
        rollouts = _trajectories_of(self._experiences)
        if not rollouts:
            raise RuntimeError("no rollout was within max_context")
        floor = decoding_seconds(
            self._shape,
            rollouts,
            self._run.on_policy.generation.lanes_at_once,
            self._rates.get("bytes a second", math.nan),
        )
        return {
            "tokens": sum(each.n_trainable for each in rollouts),
            "seconds of reading weights and cache": floor,
            "rollouts": len(rollouts),
            "operations": sum(each.info["n_operations"] for each in rollouts) / len(rollouts),
            "length": sum(len(each) for each in rollouts) / len(rollouts),
        }

    def _check(self) -> dict[str, float]:
        """Compares the rollouts' log-probabilities with one pass over each."""
        self._agreement = compare(
            self._model,
            self._trajectories(),
            self._encoder,
            self._shape,
            self._run.loading.dtype,
        )
        return {"rollouts": len(self._experiences)}

    def _update(self) -> dict[str, float]:
        """Takes one step on the rollouts; without any, on the demonstrations."""
        experiences = self._experiences or [
            Experience(each, advantage=(-1.0) ** number)
            for number, each in enumerate(self._demonstrations)
        ]
        batch = [each for each in experiences if each.teaches]
        rl = replace(self._run.on_policy, minibatches=1, epochs=1)
        trained = _trajectories_of(batch)
        self._model.train()
        packed(self._model, trained[:1], self._encoder).backward()  # type: ignore[no-untyped-call]  # loads kernels
        self._model.zero_grad(set_to_none=True)
        update = PolicyUpdate(self._model, self._encoder, rl)
        started = time.perf_counter()
        metrics, seconds = update(batch, 1).metrics(), time.perf_counter() - started
        check_finite(metrics, "update/loss", "update/grad_norm")
        needed = gradient_operations(self._shape, trained, self._config.train == "all")
        return {
            "tokens": sum(len(each) for each in trained),
            "seconds": seconds,
            "operations needed": needed,
            "share of the matrix rate": needed
            / seconds
            / self._rates.get("operations a second", math.nan),
            "rollouts": len(batch) if self._experiences else 0,
            "loss": metrics["update/loss"],
            "largest ratio": metrics["update/ratio_max"],
            "clipped": metrics["update/clip_share"],
        }

    def _rollouts(self, model: Any, run: RunConfig) -> list[Experience]:
        """Runs the groups of one iteration in scripted lanes."""
        rl = run.on_policy
        lanes = training_lanes(run)
        scripted = ScriptedLanes(lanes.env, rl.group_size, self._config.most_zooms)
        session = Session(Engine(model, self._encoder, rl.generation))
        groups = GroupRollouts(session, replace(lanes, env=scripted), rl)
        found = groups.run(1).experiences()
        scripted.close()
        return found

    def _trajectories(self) -> list[TokenTrajectory]:
        """Returns the rollouts; where there are none, the demonstrations."""
        return _trajectories_of(self._experiences) or self._demonstrations


def _encoder(shape: ModelShape, run: RunConfig) -> Encoder:
    tokenizer, processor = text_and_picture_tools(shape)
    dialect, system = get_dialect(run.dialect), cast(SystemPrompt, run.system)  # checked there
    return Encoder(tokenizer, processor, dialect, system)


def _trajectories_of(experiences: Sequence[Experience]) -> list[TokenTrajectory]:
    """Returns the rollouts themselves: one process has all of them."""
    found = (each.trajectory for each in experiences)
    return [each for each in found if isinstance(each, TokenTrajectory)]
