"""The processes of one training: which one this is, and what they send each other.

`launched` makes the one `Processes` of a training, and whatever needs it is handed it. A training
in one process needs none of this: every function then gives back what it was given.
Several processes are started by `accelerate launch` (or torchrun); they hold the same weights, run
their own groups, and add up their gradients, so that they all take the same step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, TypeVar

import numpy as np
import torch
import torch.distributed as dist

from pixel_env.errors import ConfigError

from .messages import packed, unpacked

Value = TypeVar("Value")

LONGEST_WAIT = timedelta(hours=12)
"""How long a process waits for the others: for the first one's evaluation, for long rollouts."""

BUCKET_BYTES = 2**26
"""Gradients are added up in pieces of about this size."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The place of this process among those of one training.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes what one process has to write."""
        return self.rank == 0

    def share(self, n: int) -> range:
        """Returns which of `n` things are this process's: a stretch, at most one longer.

        Example:
            >>> [list(Processes(rank, 2).share(5)) for rank in (0, 1)]
            [[0, 1], [2, 3, 4]]
        """
        return range(n * self.rank // self.count, n * (self.rank + 1) // self.count)

    def gather(self, value: Value) -> list[Value]:
        """Returns every process's value, by rank; all must call it.

        Args:
            value: what `messages.packed` takes.
        """
        if self.count == 1:
            return [value]
        mine, sizes = self._announced(packed(value))
        parts = [torch.zeros_like(mine) for _ in sizes]
        dist.all_gather(parts, mine)
        return [unpacked(_bytes(part, size)) for part, size in zip(parts, sizes, strict=True)]

    def gather_in_first(self, value: Value) -> list[Value]:
        """Returns every process's value in the first process, [] elsewhere; as `gather`."""
        if self.count == 1:
            return [value]
        mine, sizes = self._announced(packed(value))
        parts = [torch.zeros_like(mine) for _ in sizes] if self.is_first else None
        dist.gather(mine, parts)
        every = zip(parts or (), sizes, strict=False)
        return [unpacked(_bytes(part, size)) for part, size in every]

    def _announced(self, message: bytes) -> tuple[torch.Tensor, list[int]]:
        """Tells every process how long the messages are; returns this one, padded to the longest.

        A collective takes tensors of one size.
        """
        device = _talking_device()
        lengths = torch.zeros(self.count, dtype=torch.int64, device=device)
        lengths[self.rank] = len(message)
        dist.all_reduce(lengths)
        sizes = lengths.tolist()
        padded = np.zeros(max(sizes), np.uint8)
        padded[: len(message)] = np.frombuffer(message, np.uint8)
        return torch.from_numpy(padded).to(device), sizes

    def total(self, number: float) -> float:
        """Returns the sum of every process's number; all must call it."""
        return sum(self.gather(number))

    def run_in_first(self, work: Callable[[], Value]) -> Value:
        """Does something in the first process only, and returns its result in all of them.

        Raises:
            ConfigError: in the other processes, where the first one failed.
        """
        if self.count == 1:
            return work()
        result: Value | None = None
        message = packed((False, None))
        try:
            if self.is_first:
                result = work()
                message = packed((True, result))
        finally:  # the others must not wait for a process that failed
            sent = self._sent_by_first(message if self.is_first else b"")
        was_done, value = unpacked(sent)
        if not was_done:
            raise ConfigError("the first process failed; its own message gives the reason")
        return result if self.is_first else value  # type: ignore[return-value]

    def _sent_by_first(self, message: bytes) -> bytes:
        """Returns the first process's message in all of them."""
        mine, sizes = self._announced(message)
        dist.broadcast(mine, src=0)
        return _bytes(mine, sizes[0])

    def wait(self) -> None:
        """Waits until every process is here."""
        self.gather(None)

    def add_up_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replaces every gradient by its sum over all processes.

        A process that had nothing to learn from counts as zeros. Parameters that have a gradient
        nowhere keep none.
        """
        if self.count == 1:
            return
        trained = list(parameters)
        present = torch.tensor([p.grad is not None for p in trained], dtype=torch.int32)
        present = present.to(trained[0].device)
        dist.all_reduce(present, dist.ReduceOp.MAX)
        bucket: list[torch.nn.Parameter] = []
        size = 0
        for parameter, is_present in zip(trained, present.tolist(), strict=True):
            if not is_present:
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            n_bytes = parameter.grad.nbytes
            if bucket and (size + n_bytes > BUCKET_BYTES or parameter.dtype != bucket[0].dtype):
                _add_up(bucket)
                bucket, size = [], 0
            bucket.append(parameter)
            size += n_bytes
        if bucket:
            _add_up(bucket)


ONE_PROCESS = Processes()
"""A training in this process alone."""


def launched(device: str) -> tuple[Processes, str]:
    """Joins the processes that a launcher started; alone where it started one.

    Args:
        device: "cpu", or "cuda" for one GPU a process.

    Returns:
        The place of this process, and its own device.
    """
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu", timeout=LONGEST_WAIT)
    if state.num_processes == 1:
        return Processes(), device
    own = device if device == "cpu" else str(state.device)
    return Processes(state.process_index, state.num_processes), own


def end(code: int) -> NoReturn:
    """Ends this process: the last call of a script. Where there are several, all must call it.

    Where there are several it waits for the others and leaves out Python's own clean-up, for the
    threads that talk to other processes may outlive what they belong to there, and abort a process
    whose work is done. So whatever was written must be closed by then.

    Args:
        code: the exit code.
    """
    # A script ends here also when it failed before it knew its place, so the group itself is asked.
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        sys.exit(code)
    if code == 0:
        Processes(dist.get_rank(), dist.get_world_size()).wait()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _talking_device() -> torch.device:
    """Returns where tensors lie that are sent: NCCL takes those of this process's GPU only."""
    if "nccl" in dist.get_backend():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def _bytes(message: torch.Tensor, size: int) -> bytes:
    return message[:size].cpu().numpy().tobytes()


def _add_up(parameters: list[torch.nn.Parameter]) -> None:
    """Sums the gradients of some parameters over the processes, in one message."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, summed in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(summed.view_as(gradient))
