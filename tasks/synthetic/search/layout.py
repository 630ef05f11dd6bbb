"""Where the objects of a scene stand: drawn from a generator, within the knobs of a difficulty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixel_env.errors import ConfigError

from .scene import COLOURS, GLYPHS, SHAPES, Scene, SceneObject


@dataclass(frozen=True, slots=True)
class Difficulty:
    """The knobs of a scene.

    Attributes:
        scene_px: side of the square source picture in pixels; larger makes the overview coarser.
        target_px: side of an object in source pixels.
        mark_px: height of the letter on an object in source pixels; rounded to whole dots of 1/7.
        min_objects: fewest objects in a scene.
        max_objects: most objects in a scene (the clutter).
        grid: objects stand in different cells of a grid of this many columns and rows.
        marks: the letters in use.
    """

    scene_px: int = 896
    target_px: int = 112
    mark_px: int = 21
    min_objects: int = 4
    max_objects: int = 7
    grid: int = 4
    marks: str = "HJLOTVXZ"

    def __post_init__(self) -> None:
        """Checks that such a scene can be drawn."""
        cell = self.scene_px // self.grid if self.grid > 0 else 0
        limit = min(len(COLOURS), self.grid * self.grid)
        if not 1 <= self.min_objects <= self.max_objects <= limit:
            raise ConfigError(
                f"expected 1 <= min_objects <= max_objects <= {limit} (one colour and one cell "
                f"each), got {self.min_objects} and {self.max_objects}"
            )
        if not 16 <= self.target_px <= cell:
            raise ConfigError(
                f"expected target_px from 16 to {cell} (scene_px / grid), got {self.target_px}"
            )
        if not 7 <= self.mark_px <= self.target_px // 2:
            raise ConfigError(
                f"expected mark_px from 7 to {self.target_px // 2} (half of target_px), "
                f"got {self.mark_px}"
            )
        unknown = sorted(set(self.marks) - set(GLYPHS))
        if unknown or len(set(self.marks)) < 4:
            raise ConfigError(
                f"expected marks to be at least 4 different letters of {''.join(GLYPHS)}, "
                f"got {self.marks!r}"
            )


def random_scene(rng: np.random.Generator, difficulty: Difficulty) -> Scene:
    """Draws a scene: colours are unique, shapes and marks are not.

    Args:
        rng: where every choice comes from.
        difficulty: the knobs.
    """
    side, grid, size = difficulty.scene_px, difficulty.grid, difficulty.target_px
    n_objects = int(rng.integers(difficulty.min_objects, difficulty.max_objects + 1))
    cells = rng.permutation(grid * grid)[:n_objects]
    colours = rng.permutation(len(COLOURS))[:n_objects]
    names, cell_px = list(COLOURS), side / grid
    free = max(0.0, (cell_px - size) / 2 - 2)
    objects = []
    for cell, colour in zip(cells, colours, strict=True):
        shift = rng.uniform(-free, free, size=2)
        x = (cell % grid + 0.5) * cell_px + shift[0]
        y = (cell // grid + 0.5) * cell_px + shift[1]
        objects.append(
            SceneObject(
                colour=names[colour],
                shape=SHAPES[rng.integers(len(SHAPES))],
                mark=difficulty.marks[rng.integers(len(difficulty.marks))],
                centre=(int(x), int(y)),
                size_px=size,
                dot_px=max(1, difficulty.mark_px // 7),
            )
        )
    return Scene(side, tuple(objects), int(rng.integers(2**31)))
