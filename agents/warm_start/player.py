"""One episode of a demonstration: calls that are right, wrong or refused, and its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np

from pixel_env.actions import answer, select_frames, zoom_in
from pixel_env.errors import ConfigError
from pixel_env.media.geometry import Box, pad_box
from pixel_env.types import Action, Info, Observation, Sample, View
from pixel_env.wrappers.text_action import TextAction

from .refused_calls import Writer, refused_selection, refused_zoom
from .right_answers import right_answers
from .wording import phrase, place_of
from .zoom_boxes import around, beside, centred, contains, overlap, sides_of, union, within


class Unsuitable(Exception):
    """A sample that a demonstration can't be made of; the reason is counted."""


class Settings(Protocol):
    """The part of `DemonstrationConfig` that playing needs."""

    @property
    def margin(self) -> float:
        """What a zoom adds around the evidence."""

    @property
    def jitter(self) -> float:
        """How far boxes vary."""

    @property
    def box_step(self) -> float:
        """What the edges of boxes are multiples of."""

    @property
    def square_side(self) -> float | None:
        """Side of every right zoom; None fits the box to the evidence."""

    @property
    def coarse(self) -> float:
        """Sides of a coarse zoom in sides of the fine one."""

    @property
    def wording(self) -> str:
        """Which wordings are used."""


class Player:
    """One episode that is being played, and its record.

    Attributes:
        sample: the sample as shown.
        messages: of the policy.
        imitate: for each message whether it is to be learnt.
        observations: what came before each message.
        targets: what a right zoom shows: by view number, the box around that view's evidence.
    """

    def __init__(
        self, env: TextAction, index: int, settings: Settings, rng: np.random.Generator
    ) -> None:
        """Resets the environment to a sample.

        Raises:
            Unsuitable: the sample's files can't be read.
        """
        self._env = env
        self._inner = cast(Any, env.unwrapped)
        self._settings = settings
        self._rng = rng
        self._observation, info = env.reset(options={"index": index})
        if "env_error" in info:
            raise Unsuitable("the sample's files can't be read")
        self.sample: Sample = self._inner.sample
        self.messages: list[str] = []
        self.imitate: list[bool] = []
        self.observations: list[Observation] = []
        self.targets = _targets(self.sample, self._inner.views)

    def right_zoom(self, number: int, occasion: str) -> None:
        """Zooms on the evidence in a view."""
        self._zoom(self._box(self.targets[number]), number, occasion, self.targets[number])

    def wrong_zooms(self, number: int, count: int) -> None:
        """Zooms `count` times on what shows no evidence, with boxes like the right one."""
        avoid = [self.targets[number]]
        earlier: list[Box] = []
        for turn in range(count):
            box = self._wrong_box(number, avoid, earlier)
            shown = self._zoom(box, number, "again_zoom" if turn else "first_zoom", None)
            if any(overlap(shown, target) for target in avoid):
                raise Unsuitable("a wrong zoom would show the evidence")
            earlier.append(box)

    def refused_zoom(self, number: int) -> None:
        """Writes a zoom into a view that the environment refuses."""
        box = self._box(self.targets[number])
        self._refuse("first_zoom", refused_zoom(box, number, self._rng), place=place_of(box))

    def refused_selection(self) -> None:
        """Writes a selection of frames that the environment refuses."""
        n_frames = self._observation["n_frames"]
        writer = refused_selection(sorted(self.targets), n_frames, self._rng)
        self._refuse("first_frames", writer)

    def zoom_further(self, number: int) -> None:
        """Zooms coarsely, then from there on the evidence."""
        target = self.targets[number]
        fine = sides_of(self._box(target))
        grown = tuple(self._on_grid(min(side * self._settings.coarse, 1.0)) for side in fine)
        width, height = grown[0], grown[1]
        if width > 0.9 and height > 0.9:
            raise Unsuitable("the evidence is too large to zoom in twice")
        step = self._settings.box_step
        coarse = centred(target, (width, height), 1.0, step, self._rng)
        shown = self._zoom(coarse, number, "first_zoom", target)
        inside = within(shown, target)
        side = self._settings.square_side
        if side is None:
            box = self._box(inside)
        else:
            sides = (self._on_grid(side / width), self._on_grid(side / height))
            box = centred(inside, sides, self._settings.jitter, step, self._rng)
        if min(sides_of(box)) > 0.9:
            raise Unsuitable("the evidence is too large to zoom in twice")
        self._zoom(box, len(self._inner.views), "further_zoom", target)

    def select(self, right: bool, occasion: str) -> None:
        """Selects the frames that hold the evidence, or as many others."""
        config = self._inner.config
        n_frames = self._observation["n_frames"]
        frames = sorted(self.targets)
        if not right:
            others = [f for f in range(1, n_frames + 1) if f not in self.targets]
            if not others:
                raise Unsuitable("every frame holds evidence")
            count = min(len(frames), len(others))
            frames = sorted(int(f) for f in self._rng.choice(others, count, replace=False))
        if len(frames) > config.max_selected:
            raise Unsuitable("more frames hold evidence than can be selected")
        text = self._phrase(occasion)
        self._say(text, select_frames(frames, max(n_frames, config.n_frames)), imitate=right)

    def answer(self, has_looked: bool) -> float:
        """Gives the gold answer; returns its score."""
        gold, letter_or_text = right_answers(self.sample)[0]
        text = self._phrase("seen" if has_looked else "at_once", answer=gold)
        info = self._say(text, answer(letter_or_text), imitate=True)
        return float(info["grade"]["score"]) if "grade" in info else 0.0

    def _zoom(self, box: Box, number: int, occasion: str, target: Box | None) -> Box:
        """Zooms; returns the box shown, as fractions of the source. No target: a wrong zoom."""
        text = self._phrase(occasion, place=place_of(box))
        info = self._say(text, zoom_in(box, number), imitate=target is not None)
        shown: Box = info["executed_box"]
        if target is not None and not contains(shown, target):
            raise Unsuitable("the evidence is larger than the zoom")
        return shown

    def _say(self, text: str, action: Action, imitate: bool) -> Info:
        """Writes a message and records its result."""
        is_answer = self._inner.operations.of(action).is_answer
        info = self._write(
            lambda: self._env.dialect.compose(text, action, self._env.shown), imitate, is_answer
        )
        if "operation_error" in info:
            raise Unsuitable(f"a call was refused ({info['operation_error']})")
        return info

    def _refuse(self, occasion: str, writer: Writer, **facts: str) -> None:
        """Writes a message with a call that the environment refuses; it isn't imitated."""
        text = self._phrase(occasion, **facts)
        info = self._write(lambda: writer(text, self._env.dialect, self._env.shown), False)
        if "operation_error" not in info:
            raise Unsuitable("a call that was to be refused was not")

    def _write(self, compose: Callable[[], str], imitate: bool, is_last: bool = False) -> Info:
        """Writes a message, records it, and takes the step."""
        try:
            message = compose()
        except ConfigError as fault:
            raise Unsuitable("the dialect can't write a call that is needed") from fault
        self.messages.append(message)
        self.imitate.append(imitate)
        self.observations.append(self._observation)
        if not is_last and self._observation["turns_left"] < 2:
            raise Unsuitable("the turns would not suffice")
        self._observation, _, _, _, info = self._env.step(message)
        if "env_error" in info:
            raise Unsuitable("the sample's files can't be read")
        return info

    def _phrase(self, occasion: str, **facts: str) -> str:
        return phrase(
            self._settings.wording, occasion, self._rng, question=self.sample.question, **facts
        )

    def _box(self, target: Box) -> Box:
        """Draws the box of a right zoom on a target, both fractions of one view."""
        settings, square = self._settings, self._settings.square_side
        if square is None or max(sides_of(target)) > square:
            return around(target, settings.margin, settings.jitter, settings.box_step, self._rng)
        return centred(target, (square, square), settings.jitter, settings.box_step, self._rng)

    def _wrong_box(self, number: int, avoid: list[Box], earlier: list[Box]) -> Box:
        step, padding = self._settings.box_step, self._inner.config.padding
        sides = sides_of(self._box(self.targets[number]))
        padded = [pad_box(box, padding) for box in avoid]  # as good as padding the zoom
        box = beside(sides, padded, step, self._rng, earlier)
        if box is None:
            raise Unsuitable("there is no room for a wrong zoom")
        return box

    def _on_grid(self, side: float) -> float:
        """Rounds a side to the grid, at least one step."""
        step = self._settings.box_step
        return min(max(round(side / step), 1) * step, 1.0)


def _targets(sample: Sample, views: tuple[View, ...]) -> dict[int, Box]:
    """Returns by view number the box around all evidence in it; the nearest frame of a clip."""
    boxes: dict[int, list[Box]] = {}
    for evidence in sample.evidence:
        number = min(
            range(1, len(views) + 1), key=lambda n: abs(views[n - 1].source - evidence.image)
        )
        boxes.setdefault(number, []).append(evidence.box)
    return {number: union(parts) for number, parts in sorted(boxes.items())}
