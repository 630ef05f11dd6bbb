"""Controls: wrappers that test whether operations were needed.

Each spoils or gives away what an operation shows and leaves everything else as it is: turns,
counts, refusals, and the feedback, which names what the policy asked for. A score that a control
doesn't lower was not earned by operations.

A control stands under `TextAction`, and several can be stacked. What another region was read for
is in the environment's history as it was really shown, so that `unwrapped.views` stay true;
`BlankViews` alone changes pixels only. In a step in which a control did something,
`info["control"]` holds an entry under its name.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from ..env import Step
from ..errors import OperationError, unknown_name
from ..evidence import MARGIN, SHORTEST_SIDE, evidence_by_picture, widened
from ..history import History
from ..media.geometry import Box, settled
from ..types import Action, Info, Observation, View
from .base import Control, Redirection

GREY = 128
"""Value of every channel of a blank view."""


class NoOperations(Control):
    """Refuses every operation with one sentence; the answer is allowed.

    A refused operation costs its turn and counts as a call and as a refused one.

    >>> import gymnasium as gym, pixel_env
    >>> env = NoOperations(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> _ = env.reset(seed=1)
    >>> observation, *_, info = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    >>> observation["feedback"], info["control"]
    ('No operation is available here; answer now.', {'no-operations': {'refused': 'zoom_in'}})
    """

    name = "no-operations"

    def __init__(self, env: gym.Env[Observation, Action]) -> None:
        """Wraps an environment with structured actions."""
        RecordConstructorArgs.__init__(self)
        super().__init__(env)

    def step(self, action: Action) -> Step:
        """Takes one action; see `PixelReasoningEnv.step`."""
        operation = self._operation(action)
        if operation is None or operation.is_answer:
            return cast(Step, self.env.step(action))
        refusal: Any = OperationError("not_allowed", "No operation is available here; answer now.")
        observation, reward, terminated, truncated, info = self.env.step(refusal)
        self.note(info, refused=operation.name)
        return observation, float(reward), terminated, truncated, info


class BlankViews(Control):
    """Shows a uniform grey picture of the same size instead of what an operation gave.

    The views shown at reset stay. `unwrapped.views` go on holding the pixels that were hidden:
    `info["control"]` names the views that a policy didn't see.

    >>> import gymnasium as gym, pixel_env
    >>> env = BlankViews(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> _ = env.reset(seed=1)
    >>> observation, *_, info = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    >>> observation["feedback"], info["control"]
    ('Image 2 is the region [0, 0, 0.5, 0.5] of image 1.', {'blank-views': {'views': (2,)}})
    >>> observation["images"][0].shape, set(observation["images"][0].ravel().tolist())
    ((112, 112, 3), {128})
    """

    name = "blank-views"

    def __init__(self, env: gym.Env[Observation, Action]) -> None:
        """Wraps an environment with structured actions."""
        RecordConstructorArgs.__init__(self)
        super().__init__(env)

    def step(self, action: Action) -> Step:
        """Takes one action; see `PixelReasoningEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if observation["images"]:
            observation = observation.copy()
            images = tuple(np.full_like(image, GREY) for image in observation["images"])
            observation["images"] = images
            self.note(info, views=info.get("views_added", ()))
        return observation, float(reward), terminated, truncated, info


class RandomCrop(Redirection):
    """Reads a random box of the same size in the same view, or as many random frames.

    The size is the same to the pixel, before any padding. What is drawn depends on `seed`, the
    sample's id and the number of operations before, and on nothing else.

    >>> import gymnasium as gym, pixel_env
    >>> env = RandomCrop(gym.make("PixelReason-SyntheticSearch-v0"), seed=3)
    >>> _ = env.reset(seed=1)
    >>> observation, *_, info = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    >>> observation["feedback"], info["executed_box"] == (0.0, 0.0, 0.5, 0.5)
    ('Image 2 is the region [0, 0, 0.5, 0.5] of image 1.', False)
    """

    name = "random-crop"

    def __init__(self, env: gym.Env[Observation, Action], seed: int = 0) -> None:
        """Wraps an environment with structured actions.

        Args:
            env: the environment.
            seed: at least 0; another one draws other boxes.
        """
        RecordConstructorArgs.__init__(self, seed=seed)
        super().__init__(env)
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._rng = np.random.default_rng([self._seed, zlib.crc32(info["sample_id"].encode())])
        return observation, info

    def _place(self, target: int, box: Box, history: History) -> tuple[int, Box]:
        columns, rows = _grid(history.view(target), history)
        x1, x2 = self._shifted(box[0], box[2], columns)
        y1, y2 = self._shifted(box[1], box[3], rows)
        return target, (x1, y1, x2, y2)

    def _shifted(self, low: float, high: float, n_pixels: float) -> tuple[float, float]:
        """Shifts an interval by a random whole number of pixels within [0, 1]."""
        low, high = settled(low, high, n_pixels)
        first, last = math.ceil(-low * n_pixels), math.floor((1 - high) * n_pixels)
        shift = int(self._rng.integers(first, last, endpoint=True)) / n_pixels
        return max(low + shift, 0.0), min(high + shift, 1.0)

    def _frames(self, positions: list[int], history: History) -> list[int]:
        chosen = self._rng.choice(history.n_frames, size=len(positions), replace=False) + 1
        return sorted(int(number) for number in chosen)


class DemonstrationCrop(Redirection):
    """Shows the evidence, wherever an operation was aimed: the score of a policy that aims right.

    A zoom shows all evidence of its picture together, with a margin; where that picture has
    none, that of the nearest picture which has. A selection of frames holds those with evidence
    first, then the ones asked for, as many as were asked for. Of a sample without evidence every
    operation is as asked for, as `info["control"]` notes.

    >>> import gymnasium as gym, pixel_env
    >>> env = DemonstrationCrop(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> _ = env.reset(seed=1)
    >>> observation, *_, info = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    >>> shown, sought = info["executed_box"], env.unwrapped.sample.evidence[0].box
    >>> shown[0] <= sought[0] and shown[1] <= sought[1], shown[2] >= sought[2]
    (True, True)
    """

    name = "demonstration-crop"

    def __init__(self, env: gym.Env[Observation, Action], margin: float = MARGIN) -> None:
        """Wraps an environment with structured actions.

        Args:
            env: the environment.
            margin: added around the evidence on every side, as a fraction of its size.
        """
        RecordConstructorArgs.__init__(self, margin=margin)
        super().__init__(env)
        self._margin = margin

    def _place(self, target: int, box: Box, history: History) -> tuple[int, Box] | None:
        boxes = evidence_by_picture(history.sample.evidence)
        if not boxes:
            return None
        source = history.view(target).source
        picture = min(boxes, key=lambda number: abs(number - source))
        overview = _overview_of(picture, history)
        least = history.config.min_crop_side_px + 1  # an edge may be cut off by rounding
        shortest = min(max(SHORTEST_SIDE, least / min(_grid(history.view(overview), history))), 1.0)
        return overview, widened(boxes[picture], self._margin, shortest)

    def _frames(self, positions: list[int], history: History) -> list[int] | None:
        pictures = evidence_by_picture(history.sample.evidence)
        if not pictures:
            return None
        with_evidence = [_overview_of(picture, history) for picture in sorted(pictures)]
        chosen = list(dict.fromkeys([*with_evidence, *positions]))
        return sorted(chosen[: len(positions)])


class AimedCrop(DemonstrationCrop):
    """Reads a box as large as the one asked for, moved to where the evidence is.

    The size is the same to the pixel, so what this control adds to a score was lost by zooming into
    the wrong place, and by nothing else. The evidence stands in the middle of the box as far as
    the picture's edges allow. Which picture, frames and samples without evidence: as in
    `DemonstrationCrop`.

    >>> import gymnasium as gym, pixel_env
    >>> env = AimedCrop(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> _ = env.reset(seed=1)
    >>> *_, info = env.step(pixel_env.zoom_in([0, 0, 0.25, 0.25]))
    >>> x1, y1, x2, y2 = info["executed_box"]
    >>> round(x2 - x1, 6), round(y2 - y1, 6)
    (0.25, 0.25)
    """

    name = "aimed-crop"

    def __init__(self, env: gym.Env[Observation, Action]) -> None:
        """Wraps an environment with structured actions."""
        super().__init__(env)
        RecordConstructorArgs.__init__(self)

    def _place(self, target: int, box: Box, history: History) -> tuple[int, Box] | None:
        place = super()._place(target, box, history)
        if place is None:
            return None
        overview, (left, top, right, bottom) = place
        (width, height), (columns, rows) = (
            _grid(history.view(view), history) for view in (target, overview)
        )
        x1, x2 = _centred((left + right) / 2, (box[2] - box[0]) * width, columns)
        y1, y2 = _centred((top + bottom) / 2, (box[3] - box[1]) * height, rows)
        return overview, (x1, y1, x2, y2)


CONTROLS: dict[str, type[Control]] = {
    control.name: control
    for control in (NoOperations, BlankViews, RandomCrop, DemonstrationCrop, AimedCrop)
}
"""The controls by name."""


def add_controls(env: Any, names: Sequence[str], seed: int = 0) -> Any:
    """Wraps an environment in controls, the first one innermost.

    Args:
        env: an environment with structured actions.
        names: keys of `CONTROLS`.
        seed: of the ones that draw, at least 0.

    Raises:
        ConfigError: a name is unknown.
    """
    for name in names:
        if name not in CONTROLS:
            raise unknown_name("a control", name, CONTROLS)
        made: Any = CONTROLS[name]
        env = made(env, seed=seed) if made is RandomCrop else made(env)
    return env


def _centred(middle: float, size: float, n_pixels: float) -> tuple[float, float]:
    """Returns an interval of `size` pixels round a point, moved by whole pixels into [0, 1]."""
    low = min(max(round(middle * n_pixels - size / 2), 0), math.floor(n_pixels - size))
    return low / n_pixels, min((low + size) / n_pixels, 1.0)


def _grid(view: View, history: History) -> tuple[float, float]:
    """Returns how many (columns, rows) of pixels a view has, of those that a zoom on it reads."""
    if history.config.zoom_source == "view":
        return view.image.shape[1], view.image.shape[0]
    width, height = history.picture(view.source).size
    x1, y1, x2, y2 = view.box
    return (x2 - x1) * width, (y2 - y1) * height


def _overview_of(picture: int, history: History) -> int:
    """Returns the number of the overview of a picture, or of the sampled frame nearest to one."""
    numbers = [n for n, view in enumerate(history.views, 1) if view.origin == "overview"]
    return min(numbers, key=lambda number: abs(history.view(number).source - picture))
