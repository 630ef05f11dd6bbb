"""Puts rollouts into one row of tokens, in which what several of them begin with stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ..tokens.trajectory import EncodedImage, TokenTrajectory, Turn
from .backbone import Stretch
from .positions import rotary_positions
from .tree_attention import Segment, Tree


@dataclass(frozen=True, slots=True)
class Packed:
    """Rollouts in one row.

    Attributes:
        stretch: the row, (1, length); no token of it is padding.
        tree: which tokens each token of it reads.
        columns: for each rollout, where its tokens are in the row, (its length,) int64.
    """

    stretch: Stretch
    tree: Tree
    columns: tuple[NDArray[np.int64], ...]


@dataclass(slots=True, eq=False)
class _Node:
    """A turn that one or several rollouts have, after the same turns.

    Attributes:
        owner: the first rollout that has it; None for what all begin from.
        turn: which tokens of the owner it is.
        start: its first column in the row, from 0.
        children: the turns that follow it.
    """

    owner: TokenTrajectory | None = None
    turn: Turn = field(default_factory=lambda: Turn("user", 0, 0))
    start: int = 0
    children: list[_Node] = field(default_factory=list)

    @property
    def columns(self) -> tuple[int, int]:
        """Its (first column, column after its last)."""
        return self.start, self.start + self.turn.stop - self.turn.start


class SharedRow:
    """A row that rollouts are added to one by one; turns that are in it are not added again.

    Turns are equal if they have the same tokens and pictures, after equal turns. So a group's
    rollouts share the prompt, those that answered it alike share the next one, and so on.

    Attributes:
        length: how many tokens the row has.
    """

    def __init__(self) -> None:
        """Begins an empty row."""
        self.length = 0
        self._root = _Node()

    def n_new(self, trajectory: TokenTrajectory) -> int:
        """Returns by how many tokens this rollout would lengthen the row."""
        return len(trajectory) - self._path(trajectory)[-1].turn.stop

    def add(self, trajectory: TokenTrajectory) -> tuple[tuple[int, int], ...]:
        """Adds a rollout.

        Returns:
            Where its tokens are: (first column, column after the last) of each stretch, in order.
            The last stretch is the new one, which may be empty; those before it were there.
        """
        path = self._path(trajectory)
        spans: list[tuple[int, int]] = []
        for node in path[1:]:
            start, stop = node.columns
            if spans and spans[-1][1] == start:
                start = spans.pop()[0]
            spans.append((start, stop))
        start, node = self.length, path[-1]
        for turn in _turns(trajectory)[len(path) - 1 :]:
            node.children.append(_Node(trajectory, turn, self.length))
            node = node.children[-1]
            self.length = node.columns[1]
        return (*spans, (start, self.length))

    def _path(self, trajectory: TokenTrajectory) -> list[_Node]:
        """Returns the root, and the turns behind it that the rollout begins with."""
        path = [self._root]
        for turn in _turns(trajectory):
            same = (node for node in path[-1].children if _same(node, trajectory, turn))
            node = next(same, None)
            if node is None:
                break
            path.append(node)
        return path


def pack(trajectories: Sequence[TokenTrajectory], device: torch.device) -> Packed:
    """Packs rollouts, at least one, onto a device."""
    row = SharedRow()
    segments, columns = [], []
    pieces: list[tuple[TokenTrajectory, int]] = []
    for t in trajectories:
        *before, (start, stop) = row.add(t)
        if start < stop:
            segments.append(Segment(start, stop, tuple(before)))
            pieces.append((t, len(t) - (stop - start)))
        spans = (*before, (start, stop))
        columns.append(np.concatenate([np.arange(*span, dtype=np.int64) for span in spans]))
    return Packed(_stretch(pieces, device), Tree(tuple(segments), device), tuple(columns))


def _stretch(pieces: Sequence[tuple[TokenTrajectory, int]], device: torch.device) -> Stretch:
    """Puts the ends of rollouts behind each other, each from its first new token on."""
    ids = np.concatenate([t.ids[first:] for t, first in pieces])
    is_image = np.zeros(len(ids), np.bool_)
    positions: list[NDArray[np.int64]] = []
    images: list[EncodedImage] = []
    start = 0
    for t, first in pieces:
        whole, _ = rotary_positions(len(t), t.images, t.image_starts)
        positions.append(whole[:, first:])
        for image, at in zip(t.images, t.image_starts, strict=True):
            if at >= first:
                place = start + at - first
                is_image[place : place + image.n_tokens] = True
                images.append(image)
        start += len(t) - first
    return Stretch(
        torch.from_numpy(ids)[None].to(device),
        torch.from_numpy(np.concatenate(positions, axis=1))[:, None].to(device),
        torch.ones(1, len(ids), dtype=torch.bool, device=device),
        tuple(images),
        torch.from_numpy(is_image)[None].to(device),
    )


def _turns(trajectory: TokenTrajectory) -> tuple[Turn, ...]:
    """Returns the turns; where none are known, the whole as one."""
    return trajectory.turns or (Turn("user", 0, len(trajectory)),)


def _same(node: _Node, trajectory: TokenTrajectory, turn: Turn) -> bool:
    """Whether a turn, after equal turns, is that of the node."""
    owner = node.owner
    assert owner is not None  # only the root has none
    if node.turn != turn or not np.array_equal(
        owner.ids[turn.start : turn.stop], trajectory.ids[turn.start : turn.stop]
    ):
        return False
    mine, theirs = (
        [i for i, at in zip(t.images, t.image_starts, strict=True) if turn.start <= at < turn.stop]
        for t in (owner, trajectory)
    )
    return all(map(_same_picture, mine, theirs))


def _same_picture(one: EncodedImage, other: EncodedImage) -> bool:
    return one is other or (one.grid == other.grid and np.array_equal(one.patches, other.patches))
