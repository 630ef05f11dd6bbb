"""A model in vLLM, in this process: prompts go in as ids, weights are replaced in place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage

from pixel_env.errors import ConfigError
from pixel_env.media.rgb import Image

from ..generation.config import GenerationConfig
from ..tokens.encoder import Encoder
from ..tokens.trajectory import Ids
from .prompts import collapsed
from .settings import MISSING, VllmSettings

GIB = 2**30
CPU_CACHE_GIB = 1.0
"""The cache on a CPU where no size is given: vLLM's own default is nearly all of the memory."""

CPU_TOKENS = 8192
"""Tokens that vLLM reads at once on a CPU, at least."""

ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
"""What vLLM reads from the environment and nowhere else; what the user has set there wins."""

SamplingParams = Callable[..., Any]
"""Makes what tells vLLM how one message is sampled."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One message to sample.

    Attributes:
        ids: (length,) int64, the whole conversation, every image token in it.
        pictures: its pictures in reading order, (height, width, 3) uint8.
        limit: how many tokens the message may have, at least 1.
        seed: fixes what is sampled.
    """

    ids: Ids
    pictures: Sequence[Image]
    limit: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """A sampled message.

    Attributes:
        prompt_ids: (length,) int64, the conversation as vLLM read it.
        ids: (n,) int64, the message, with its closing token where it came to it.
        logprobs: (n,) float32, one for each of `ids`.
    """

    prompt_ids: Ids
    ids: Ids
    logprobs: NDArray[np.float32]


class VllmModel:
    """A vLLM `LLM` and what has to be done around it.

    vLLM decides how many requests run at once; one that ends makes room for the next.
    """

    def __init__(self, llm: Any, sampling: SamplingParams, sleeps: bool = False) -> None:
        """Takes what was opened.

        Args:
            llm: a `vllm.LLM` with `logprobs_mode="processed_logprobs"` whose model is in this
                process.
            sampling: `vllm.SamplingParams`.
            sleeps: whether it was opened with sleep mode.
        """
        self._llm = llm
        self._sampling = sampling
        self._sleeps = sleeps
        self._asleep = False
        self.vocab_size = int(llm.model_config.get_vocab_size())

    @classmethod
    def open(
        cls,
        folder: Path,
        encoder: Encoder,
        generation: GenerationConfig,
        settings: VllmSettings,
        dtype: str = "float32",
        on_gpu: bool = False,
        n_processes: int = 1,
    ) -> VllmModel:
        """Loads a model into vLLM.

        Args:
            folder: the model, in the hub's layout.
            encoder: of the conversations; a picture of one image token is the smallest.
            generation: the longest context, and how many lanes generate together.
            settings: of vLLM.
            dtype: of the weights in vLLM.
            on_gpu: whether it runs on a GPU; else on the CPU.
            n_processes: how many processes train together; each opens a vLLM of its own, and all
                must do so at once.

        Raises:
            ConfigError: vLLM isn't installed, or can't be opened.
        """
        vllm = _vllm()
        processor = encoder.image_processor
        side = processor.patch_size * processor.merge_size
        try:
            llm = vllm.LLM(
                model=str(folder),
                dtype=dtype,
                seed=0,
                max_model_len=generation.max_context,
                max_num_seqs=generation.lanes_at_once,
                limit_mm_per_prompt={"image": settings.pictures, "video": 0},
                # A view of one token stays one: vLLM would make it larger before it encodes it.
                mm_processor_kwargs={
                    "size": {
                        "shortest_edge": side * side,
                        "longest_edge": processor.size["longest_edge"],
                    }
                },
                logprobs_mode="processed_logprobs",
                generation_config="vllm",
                use_tqdm_on_load=False,
                **_for_device(settings, generation.max_context, on_gpu, n_processes),
            )
        except (ValueError, RuntimeError, OSError) as fault:
            raise ConfigError(f"vLLM can't open {folder}: {fault}") from fault
        return cls(llm, vllm.SamplingParams, on_gpu and settings.sleeps)

    def complete(
        self, requests: Sequence[Request], encoder: Encoder, generation: GenerationConfig
    ) -> list[Completion]:
        """Samples a message for each request, in their order."""
        self._wake()
        shared = self._shared(encoder, generation)
        prompts = [_prompt(request, encoder.image_id) for request in requests]
        drawn = [
            self._sampling(max_tokens=request.limit, seed=request.seed, **shared)
            for request in requests
        ]
        return [_completion(each) for each in self._llm.generate(prompts, drawn, use_tqdm=False)]

    def load(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Replaces the weights in place, and drops everything that was computed with others.

        Args:
            weights: all of them, by their names in a checkpoint.
        """
        if self._asleep:
            self._llm.wake_up(tags=["weights"])
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(weights)})
        self._llm.apply_model(_pack_shared_head)
        self._wake()
        self._llm.reset_prefix_cache()
        self._llm.llm_engine.reset_encoder_cache()

    def sleep(self) -> None:
        """Gives the GPU's memory back, where it was opened so."""
        if self._sleeps and not self._asleep:
            self._llm.sleep(level=1)
            self._asleep = True

    def _wake(self) -> None:
        if self._asleep:
            self._llm.wake_up()
            self._asleep = False

    def _shared(self, encoder: Encoder, generation: GenerationConfig) -> dict[str, Any]:
        """Returns what all messages are sampled with."""
        forbidden = encoder.forbidden_ids(self.vocab_size).tolist()
        return {
            "temperature": 0.0 if generation.greedy else generation.temperature,
            "top_p": 1.0 if generation.greedy else generation.top_p,
            "logprobs": 0,  # of the sampled token alone
            "stop_token_ids": [encoder.end_id],
            "ignore_eos": True,
            "detokenize": False,
            # `allowed_token_ids` would be a list of the whole vocabulary for each request.
            "logit_bias": dict.fromkeys(forbidden, float("-inf")),
        }


def _for_device(
    settings: VllmSettings, max_context: int, on_gpu: bool, n_processes: int
) -> dict[str, Any]:
    """Returns the arguments of `LLM` that depend on where it runs."""
    given: dict[str, Any] = {
        "enforce_eager": settings.eager or not on_gpu,
        "enable_sleep_mode": on_gpu and settings.sleeps,
        "gpu_memory_utilization": settings.memory_share,
    }
    if settings.cache_gib or not on_gpu:
        given["kv_cache_memory_bytes"] = int((settings.cache_gib or CPU_CACHE_GIB) * GIB)
    if not on_gpu:
        # A prompt that is read in parts turns its request's generator back after each, which
        # torch's generators of a CPU don't support.
        given["enable_chunked_prefill"] = False
        given["max_num_batched_tokens"] = max(max_context, CPU_TOKENS)
    if n_processes > 1:  # it keeps to the processes that there are, and starts none
        given["distributed_executor_backend"] = "external_launcher"
    return given


def _prompt(request: Request, image_id: int) -> dict[str, Any]:
    prompt: dict[str, Any] = {"prompt_token_ids": collapsed(request.ids, image_id).tolist()}
    if request.pictures:
        pictures = [PillowImage.fromarray(picture) for picture in request.pictures]
        prompt["multi_modal_data"] = {"image": pictures}
    return prompt


def _completion(output: Any) -> Completion:
    message = output.outputs[0]
    ids = [int(token) for token in message.token_ids]
    logprobs = [at[token].logprob for token, at in zip(ids, message.logprobs, strict=True)]
    return Completion(
        np.array(output.prompt_token_ids, np.int64),
        np.array(ids, np.int64),
        np.array(logprobs, np.float32),
    )


def _pack_shared_head(model: Any) -> None:
    """Lets an output layer that shares the embedding's weights take the new ones on a CPU.

    There each linear layer multiplies with a packed copy of its weights. A reload packs a layer
    when weights arrive under its own name, which those of a shared output layer never do: it would
    go on with the old ones.
    """
    for module in model.modules():
        if type(module).__name__ == "ParallelLMHead" and hasattr(module, "cpu_linear"):
            module.quant_method.process_weights_after_loading(module)


def _vllm() -> Any:
    """Imports vLLM, told to keep the model in this process.

    Raises:
        ConfigError: it isn't installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Weights are handed over as tensors, which needs one process.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    try:
        import vllm
    except ImportError as fault:
        raise ConfigError(f"{MISSING}: {fault}") from fault
    return vllm
