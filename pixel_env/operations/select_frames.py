"""Selecting frames: some of a clip's sampled frames, read anew at a resolution of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import OperationError
from ..history import History
from ..reading import GivenAction
from .arguments import Argument
from .base import Operation, Outcome
from .frames import FramesArgument
from .terms import Terms, counted


class SelectFrames(Operation):
    """Shows sampled frames of the clip larger. Reads `frames`.

    `frames` is multi-binary over the sampled frames (entry i is frame i + 1), or, where numbers
    can't be written so, a set of numbers from 1. The feedback names the new views' numbers.

    >>> import numpy as np
    >>> from pixel_env import ClipSource, EnvConfig, Sample
    >>> from pixel_env.actions import select_frames
    >>> clip = ClipSource(np.zeros((20, 60, 80, 3), np.uint8))
    >>> history = History(Sample("1", "What happens?", (clip,), ("nothing",)), EnvConfig())
    >>> SelectFrames().execute(select_frames([3, 7]), history).feedback
    'Images 17 and 18 are frames 3 and 7.'
    """

    name: ClassVar[str] = "select_frames"
    description: ClassVar[str] = "Shows some frames of the clip enlarged."
    arguments: ClassVar[tuple[Argument, ...]] = (FramesArgument(),)
    needs_clip: ClassVar[bool] = True
    recorded: ClassVar[tuple[str, ...]] = ("frames",)

    def do(self, action: GivenAction, history: History) -> Outcome:
        """Reads the frames; see `Operation.do`."""
        if not history.n_frames:
            raise OperationError(
                "bad_frames", "There is no clip to select frames of; zoom in or answer instead."
            )
        numbers = self.value("frames", action, history)
        most = history.config.max_selected
        if not numbers:
            raise OperationError(
                "bad_frames",
                f"Select at least one frame, by numbers from 1 to {history.n_frames}.",
            )
        if len(numbers) > most:
            raise OperationError(
                "bad_frames", f"Select at most {most} frames at once, got {len(numbers)}."
            )
        history.check_room(len(numbers))
        return Outcome(history.selected(numbers), facts={"frames": tuple(numbers)})

    def tell(self, facts: Mapping[str, Any], terms: Terms) -> str:
        """Names the views that show the frames."""
        numbers = [number + terms.first - 1 for number in facts["frames"]]
        verb = "is" if len(numbers) == 1 else "are"
        return f"{terms.new_views(facts['views_added'])} {verb} {counted('frame', numbers)}."
