"""The same work in two ways on one device, and what the device can do at most."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from ..model.backbone import Backbone, log_probabilities
from ..model.scoring import collate, score
from ..model.shapes import ModelShape
from ..tokens.encoder import Encoder
from ..tokens.trajectory import EncodedImage, TokenTrajectory
from ..training.micro_batches import micro_batches
from .memory_plan import GIB

SIDE = 8192
"""Rows and columns of the matrices whose product is timed on a GPU."""

REPEATS = 5

N_KERNELS = 20
"""How many operators a profile names."""


def rates(device: str, dtype: torch.dtype) -> dict[str, float]:
    """Measures matrix products and copies.

    Returns:
        "operations a second" (2 a product and sum) and "bytes a second" (read and written).
    """
    side = SIDE if _is_cuda(device) else SIDE // 16
    one, two = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    product = timed(lambda: one @ two, device)
    source = torch.empty(64 * side * side // 16, device=device, dtype=dtype)
    target = torch.empty_like(source)
    copy = timed(lambda: target.copy_(source), device)
    n_bytes = 2 * source.numel() * source.element_size()
    return {"operations a second": 2 * side**3 / product, "bytes a second": n_bytes / copy}


def towers(model: Any, images: Sequence[EncodedImage], device: str) -> dict[str, float]:
    """Runs pictures through the vision tower, and through transformers' own of the same weights.

    Args:
        model: any that `Backbone` takes.
        images: at least one.
        device: where the model is.

    Returns:
        Seconds of both, how many times as fast ours is, and the largest difference of features as
        a share of the largest feature.
    """
    backbone = Backbone(model)
    visual = backbone.visual
    weight = visual.patch_embed.proj.weight
    with torch.device(weight.device):
        stock = type(visual)(visual.config).to(weight.dtype)
    stock.load_state_dict(visual.state_dict())
    patches = torch.from_numpy(np.concatenate([image.patches for image in images]))
    patches = patches.to(device=weight.device, dtype=weight.dtype)
    grids = torch.tensor([image.grid for image in images], device=weight.device)
    seen: dict[str, torch.Tensor] = {}

    def run(name: str, tower: Any) -> Callable[[], None]:
        def see() -> None:
            seen[name] = tower(patches, grid_thw=grids).pooler_output

        return see

    with torch.no_grad():
        slow, fast = (
            timed(run(name, each.eval()), device)
            for name, each in (("stock", stock), ("ours", visual))
        )
    gap = (seen["ours"] - seen["stock"]).abs().max() / seen["stock"].abs().max()
    return {
        "pictures": len(images),
        "picture tokens": sum(image.n_tokens for image in images),
        "seconds": fast,
        "stock seconds": slow,
        "times as fast": slow / fast,
        "largest difference": float(gap),
    }


def gradients(
    model: Any,
    encoder: Encoder,
    trajectories: Sequence[TokenTrajectory],
    max_tokens: int,
    device: str,
) -> dict[str, float]:
    """Takes the gradient of rollouts in padded rows and in packed ones, each in micro-batches.

    Args:
        model: any that `Backbone` takes; layers are recomputed if it is set up so.
        encoder: of the model.
        trajectories: groups of rollouts.
        max_tokens: of a micro-batch, as each way counts them.
        device: where the model is.

    Returns:
        Seconds of both, how many times as fast packed rows are, and on a GPU the most memory above
        what lay there before, in GiB.
    """
    found: dict[str, float] = {}
    model.train()
    for name, way in (("padded", padded), ("packed", packed)):
        parts = micro_batches(trajectories, max_tokens, packs=way is packed)

        def run(way: Way = way, parts: list[list[int]] = parts) -> None:
            for part in parts:
                chosen = [trajectories[index] for index in part]
                way(model, chosen, encoder).backward()  # type: ignore[no-untyped-call]

        run()  # the first one loads kernels
        before = _start_of_peak(device)
        found[f"{name}, seconds"] = timed(run, device, repeats=1)
        if _is_cuda(device):
            found[f"{name}, GiB"] = (torch.cuda.max_memory_allocated(device) - before) / GIB
        model.zero_grad(set_to_none=True)
    model.eval()
    found["times as fast"] = found["padded, seconds"] / found["packed, seconds"]
    return found


Way = Callable[[Any, Sequence[TokenTrajectory], Encoder], torch.Tensor]


def padded(model: Any, rollouts: Sequence[TokenTrajectory], encoder: Encoder) -> torch.Tensor:
    """Scores whole rollouts, each in a row of its own, padded to the longest; gives their sum."""
    backbone = Backbone(model)
    stretch = collate(rollouts, backbone.device)
    hidden = backbone.read(stretch, backbone.see(stretch.images))[:, :-1]
    trained = np.zeros(stretch.ids.shape, np.bool_)
    for number, rollout in enumerate(rollouts):
        trained[number, : len(rollout)] = rollout.trainable
    asked = torch.from_numpy(trained[:, 1:]).to(backbone.device)
    forbidden = encoder.forbidden_mask(backbone.vocab_size).to(backbone.device)
    logprobs = log_probabilities(backbone.logits(hidden[asked]), forbidden, 1.0)
    return logprobs.gather(-1, stretch.ids[:, 1:][asked][:, None]).sum()


def packed(model: Any, rollouts: Sequence[TokenTrajectory], encoder: Encoder) -> torch.Tensor:
    """Scores rollouts as an update does; gives the sum of their log-probabilities."""
    return score(model, rollouts, encoder).logprobs.sum()


def kernels(
    model: Any, encoder: Encoder, trajectories: Sequence[TokenTrajectory], device: str
) -> dict[str, float]:
    """Profiles the gradient of rollouts in one packed row.

    Args:
        model: any that `Backbone` takes.
        encoder: of the model.
        trajectories: a group of rollouts.
        device: where the model is.

    Returns:
        Seconds of the whole with the profiler at work ("seconds"), those in which the device
        computed ("all kernels"), and those of the operators that took longest, by their names.
    """
    is_cuda = _is_cuda(device)
    wanted = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    model.train()
    with profile(activities=wanted, acc_events=True) as profiler:
        started = time.perf_counter()
        packed(model, trajectories, encoder).backward()  # type: ignore[no-untyped-call]
        _wait(device)
        seconds = time.perf_counter() - started
    model.zero_grad(set_to_none=True)
    model.eval()
    time_of = "self_device_time_total" if is_cuda else "self_cpu_time_total"
    events = sorted(profiler.key_averages(), key=lambda event: -getattr(event, time_of))
    found = {event.key[:80]: getattr(event, time_of) / 1e6 for event in events}
    longest = dict(list(found.items())[:N_KERNELS])
    return {"seconds": seconds, "all kernels": sum(found.values()), **longest}


def decoding_seconds(
    shape: ModelShape,
    trajectories: Sequence[TokenTrajectory],
    lanes_at_once: int,
    bytes_a_second: float,
    precision: int = 2,
) -> float:
    """Returns how long decoding takes at least: weights and cache read at the memory's speed.

    Every step reads the language model once for all lanes, and each lane's cache.

    Args:
        shape: of the model.
        trajectories: what was decoded.
        lanes_at_once: how many lanes share a step, at most.
        bytes_a_second: of the device's memory.
        precision: bytes of a weight and of a cached number.
    """
    language = precision * (shape.layers * shape.layer_weights + shape.vocab * shape.hidden)
    steps = 0
    cached = 0.0
    for start in range(0, len(trajectories), lanes_at_once):
        lanes = [
            [(turn.start, turn.stop) for turn in each.turns[1::2]]
            for each in trajectories[start : start + lanes_at_once]
        ]
        for number in range(max(map(len, lanes))):
            now = [lane[number] for lane in lanes if number < len(lane)]
            steps += max(stop - first for first, stop in now)
            cached += sum((stop - first) * (first + stop) / 2 for first, stop in now)
    n_bytes = steps * language + cached * shape.kv_bytes(precision)
    return n_bytes / bytes_a_second


def timed(work: Callable[[], Any], device: str, repeats: int = REPEATS) -> float:
    """Returns the median of the seconds that some work takes, the device waited for."""
    seconds = []
    for repeat in range(repeats + (repeats > 1)):
        _wait(device)
        started = time.perf_counter()
        work()
        _wait(device)
        if repeat or repeats == 1:  # the first one warms up
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _start_of_peak(device: str) -> int:
    if not _is_cuda(device):
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _wait(device: str) -> None:
    if _is_cuda(device):
        torch.cuda.synchronize(device)


def _is_cuda(device: str) -> bool:
    return torch.device(device).type == "cuda"
