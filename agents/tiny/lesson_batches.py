"""Lessons for a training: drawn by a teacher, by processes that work ahead, sent as small bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from ..tokens.trajectory import EncodedImage, TokenTrajectory

N_CHANNELS, N_TIMES = 3, 2
"""Colours of a patch, and how many equal frames of a picture the processor puts into one."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """One lesson as tokens.

    Attributes:
        kind: of the lesson, under which an exam counts it.
        trajectory: with its response trainable.
        labels: (tokens, heads) int64 of each of its pictures, `IGNORED` where one doesn't apply.
    """

    kind: str
    trajectory: TokenTrajectory
    labels: tuple[NDArray[np.int64], ...]


class Teacher(Protocol):
    """Draws lessons of several twins."""

    @property
    def heads(self) -> Mapping[str, Sequence[str]]:
        """What is known of a token, and the classes of each; "" names the class of nothing."""

    @property
    def twins(self) -> Sequence[str]:
        """Names of the twins."""

    def lessons(self, step: int, n: int) -> list[Taught]:
        """Returns `n` lessons of any twins, by the shares of the mixture, the same for a step."""

    def unseen(self, twin: str, n: int) -> list[Taught]:
        """Returns `n` lessons of a twin on contents that are never taught, always the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The lessons of one step.

    Attributes:
        lessons: their pictures have no patches.
        levels: (patches of all different pictures, channels, pixels of a patch) uint8, one picture
            after the other in the order of their first places.
    """

    lessons: list[Taught]
    levels: torch.Tensor

    @classmethod
    def of(cls, lessons: Sequence[Taught]) -> Batch:
        """Packs lessons; an eighth of their bytes is left."""
        images = {id(image): image for each in lessons for image in each.trajectory.images}
        levels = np.concatenate([_levels(image) for image in images.values()])
        bare = {name: replace(image, patches=image.patches[:0]) for name, image in images.items()}
        without = [
            replace(
                each,
                trajectory=replace(
                    each.trajectory,
                    images=tuple(bare[id(image)] for image in each.trajectory.images),
                ),
            )
            for each in lessons
        ]
        return cls(without, torch.from_numpy(levels))

    @property
    def images(self) -> list[EncodedImage]:
        """The pictures of all lessons, in their order."""
        return [image for each in self.lessons for image in each.trajectory.images]

    def patches(self, device: torch.device) -> torch.Tensor:
        """Returns the patches as the vision tower reads them, (n, values) float32 in [-1, 1]."""
        values = self.levels.to(device, non_blocking=True).float() / 127.5 - 1
        return values[:, :, None].expand(-1, -1, N_TIMES, -1).reshape(len(values), -1)


def batches(teacher: Teacher, steps: range, n: int, n_workers: int = 0) -> Iterator[Batch]:
    """Yields the lessons of each step, in order.

    Args:
        teacher: draws them.
        steps: numbers of the steps.
        n: lessons a step.
        n_workers: processes that draw ahead; they change nothing about what is drawn.
    """
    drawn: DataLoader[Batch] = DataLoader(
        _Steps(teacher, steps, n),
        batch_size=None,
        num_workers=n_workers,
        collate_fn=_as_it_is,
        multiprocessing_context="fork" if n_workers else None,
    )
    return iter(drawn)


class _Steps(Dataset[Batch]):
    """The batches of steps, by their place."""

    def __init__(self, teacher: Teacher, steps: range, n: int) -> None:
        self._teacher = teacher
        self._steps = steps
        self._n = n

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> Batch:
        return Batch.of(self._teacher.lessons(self._steps[index], self._n))


def _levels(image: EncodedImage) -> NDArray[np.uint8]:
    """Returns (patches, channels, pixels) of a picture whose values lie evenly in [-1, 1]."""
    first = image.patches.reshape(len(image.patches), N_CHANNELS, N_TIMES, -1)[:, :, 0]
    levels: NDArray[np.uint8] = np.rint((first + 1) * 127.5).astype(np.uint8)
    return levels


def _as_it_is(batch: Any) -> Any:
    return batch
