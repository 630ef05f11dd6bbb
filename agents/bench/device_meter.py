"""Seconds and peak memory of one part of a benchmark, what became of it, and its deadline."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ..model.backbone import Backbone
from .memory_plan import GIB, USABLE

RAN = "ran"
OUT_OF_MEMORY = "out of memory"
OUT_OF_TIME = "out of time"

_LACKS_MEMORY = ("out of memory", "alloc_failed", "can't allocate memory")
"""Text, in small letters, of errors that are of memory and of no class of their own."""


class OutOfTime(Exception):
    """The benchmark's time is spent."""


class Deadline:
    """Knows when the time is spent."""

    def __init__(self, minutes: float) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()
        self._minutes = minutes

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._started

    def check(self) -> None:
        """Does nothing while there is time.

        Raises:
            OutOfTime: there is none left.
        """
        if self.seconds > 60 * self._minutes:
            raise OutOfTime


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """One part of a benchmark.

    Attributes:
        name: what was done.
        status: `RAN`, `OUT_OF_MEMORY`, `OUT_OF_TIME`, or why it failed or wasn't begun.
        seconds: how long it took, also where it didn't come to its end; NaN where it wasn't begun.
        allocated: most bytes of the device that tensors took at once; None on a CPU.
        reserved: most bytes that torch reserved for them; None on a CPU.
        estimated: bytes by `memory_plan`; None where that estimates nothing.
        numbers: what else was measured, by name.
    """

    name: str
    status: str
    seconds: float = math.nan
    allocated: int | None = None
    reserved: int | None = None
    estimated: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def tokens_per_second(self) -> float:
        """Its tokens by its own seconds; NaN where it has none."""
        if self.status != RAN or "tokens" not in self.numbers:
            return math.nan
        return self.numbers["tokens"] / self.numbers.get("seconds", self.seconds)


class DeviceMeter:
    """Measures parts on one device, one after the other."""

    def __init__(self, device: str, deadline: Deadline) -> None:
        """Takes a torch device and when to stop."""
        self._is_cuda = torch.device(device).type == "cuda"
        self._device = device
        self._deadline = deadline

    def measure(self, name: str, work: Callable[[], Mapping[str, float]]) -> MeasuredPart:
        """Does a part and measures it; a failure is reported, not raised.

        Args:
            name: of the part.
            work: does it and returns numbers: "tokens", and "seconds" where only some of the
                part's time went into them.
        """
        self._begin()
        started = time.perf_counter()
        numbers: Mapping[str, float] = {}
        try:
            self._deadline.check()
            numbers = work()
            if self._is_cuda:
                torch.cuda.synchronize(self._device)
            status = RAN
        except OutOfTime:
            status = OUT_OF_TIME
        except RuntimeError as fault:  # torch's errors; others are ours, and end the benchmark
            status = _status_of(fault)
        seconds = time.perf_counter() - started
        allocated = reserved = None
        if self._is_cuda:
            allocated = torch.cuda.max_memory_allocated(self._device)
            reserved = torch.cuda.max_memory_reserved(self._device)
        return MeasuredPart(name, status, seconds, allocated, reserved, numbers=numbers)

    def _begin(self) -> None:
        """Frees what earlier parts left, so that the peak is this part's own."""
        gc.collect()
        if self._is_cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)


def watch(model: Any, deadline: Deadline) -> None:
    """Lets every pass through the language model check the clock first."""
    embedding = Backbone(model).model.get_input_embeddings()
    embedding.register_forward_pre_hook(lambda *_: deadline.check())


def check_finite(metrics: Mapping[str, float], *names: str) -> None:
    """Checks that a step gave numbers."""
    for name in names:
        if not math.isfinite(metrics[name]):
            raise RuntimeError(f"{name} is {metrics[name]}")


def over_capacity(n_bytes: float, device: str) -> str:
    """Returns why so much by the plan can't fit on a GPU; "" where it can, or on a CPU."""
    if torch.device(device).type != "cuda":
        return ""
    total = torch.cuda.get_device_properties(device).total_memory
    if n_bytes <= USABLE * total:
        return ""
    return (
        f"not run: the plan's {n_bytes / GIB:.0f} GiB are over {USABLE:.0%} of the "
        f"{total / GIB:.0f} GiB of this GPU"
    )


def _status_of(fault: RuntimeError) -> str:
    text = str(fault)
    if isinstance(fault, torch.OutOfMemoryError) or any(
        phrase in text.lower() for phrase in _LACKS_MEMORY
    ):
        return OUT_OF_MEMORY
    return f"failed: {type(fault).__name__}: {text.splitlines()[0] if text else ''}"
