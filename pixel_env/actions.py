"""Builders of actions: `zoom_in`, `select_frames`, `answer`, and `act` for any operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import NDArray

from .errors import unknown_name
from .operations import operations
from .operations.arguments import BoxArgument
from .operations.frames import N_FRAMES, FramesArgument
from .types import Action

_BOX, _FRAMES = BoxArgument(), FramesArgument()


def act(name: str, /, **arguments: Any) -> Action:
    """Builds an action of any operation, a registered one included.

    Args:
        name: of the operation.
        **arguments: its arguments by name; one that is left out has its neutral value. What is no
            such value is passed on as it is: the environment refuses it in the feedback.

    Raises:
        ConfigError: there is no such operation, or it has no such argument.

    >>> act("zoom_in", bbox=[0, 0, 0.5, 1])["bbox"].tolist(), act("select_frames")["operation"]
    ([0.0, 0.0, 0.5, 1.0], 2)
    """
    known = operations()
    own = {argument.name: argument for argument in known.named(name).arguments}
    values = {}
    for field, value in arguments.items():
        if field not in own:
            raise unknown_name(f"an argument of {name}", field, own)
        values[field] = own[field].built(value)
    return known.action(name, values)


def zoom_in(bbox: Sequence[float] | NDArray[Any], target_image: int = 1) -> Action:
    """Builds a zoom.

    Args:
        bbox: (x1, y1, x2, y2), fractions of the target view's width and height in [0, 1]. What is
            no such box is passed on as it is: the environment refuses it in the feedback.
        target_image: number of the view zoomed into, from 1.

    >>> zoom_in([0.25, 0, 0.5, 1], target_image=2)["bbox"].tolist()
    [0.25, 0.0, 0.5, 1.0]
    """
    values = {"bbox": _BOX.built(bbox), "target_image": target_image}
    return operations().action("zoom_in", values)


def select_frames(frames: Iterable[int], n_frames: int = N_FRAMES) -> Action:
    """Builds a selection of frames.

    Args:
        frames: numbers of the sampled frames, from 1. Numbers outside 1 to `n_frames` can't be
            written as a multi-binary vector; then the set of them is passed on, so that the
            environment can tell the policy.
        n_frames: length of the vector.

    >>> select_frames([1, 4])["frames"].tolist()[:5]
    [1, 0, 0, 1, 0]
    """
    return operations().action("select_frames", {"frames": _FRAMES.built(frames, n_frames)})


def answer(text: str) -> Action:
    """Builds an answer, which ends the episode.

    >>> answer("B")["operation"], answer("B")["text"]
    (0, 'B')
    """
    return operations().action("answer", {"text": text})
