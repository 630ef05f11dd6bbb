"""Scenes for the lessons of all twins: the lessons of `lessons.py`, and labels in their heads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import lessons as shared
from . import lessons
from .scene import COLOURS, SHAPES
from .task import SyntheticSearch

N_CROPS = 4


class SceneExhibit(shared.Exhibit):
    """An overview, or a crop that its overview may stand before."""

    def __init__(self, shown: lessons.Exhibit, overview: lessons.Exhibit, marks: str) -> None:
        """Takes what is shown and the overview of its scene."""
        views = (shown,) if shown.is_overview else (overview, shown)
        self.pictures = tuple(view.picture for view in views)
        self.labels = tuple(_labels(view, marks) for view in views)
        self._shown = shown
        self._marks = marks

    def lesson(self, rng: np.random.Generator) -> shared.Lesson:
        """Draws a lesson; half of those on a crop show the whole scene before it."""
        drawn = lessons.lesson(rng, self._shown, self._marks)
        if len(self.pictures) == 1 or rng.random() < 0.5:
            return drawn
        return shared.Lesson(self.pictures, drawn.question, drawn.choices, drawn.response)


def exhibits(task: SyntheticSearch, index: int) -> list[shared.Exhibit]:
    """Returns the overview of the scene behind a sample, as often as crops of it, and those."""
    rng = np.random.default_rng(index)
    marks = task.difficulty.marks
    overview, *crops = lessons.exhibits(rng, task.difficulty, N_CROPS, task.content(index))
    return [SceneExhibit(each, overview, marks) for each in (*[overview] * N_CROPS, *crops)]


def _labels(view: lessons.Exhibit, marks: str) -> NDArray[np.int64]:
    """Translates the labels of a scene into the classes of all twins."""
    labels = lessons.token_labels(view, marks)
    written = shared.TokenLabels((lessons.PICTURE_PX, lessons.PICTURE_PX))
    names = list(shared.HEADS)
    for head, of_scenes, classes in (
        ("colour", "colour", (*COLOURS, shared.NOTHING)),
        ("shape", "shape", (*SHAPES, shared.NOTHING)),
        ("letter", "mark", tuple(marks)),
        ("x1", "x1", shared.HEADS["x1"]),
        ("y1", "y1", shared.HEADS["y1"]),
    ):
        values = labels[:, list(lessons.HEADS).index(of_scenes)]
        places = np.array([shared.HEADS[head].index(name) for name in classes])
        is_known = values != shared.IGNORED
        written.values[is_known, names.index(head)] = places[values[is_known]]
    return written.values
