"""Boxes for demonstrations: around a target, beside it, and nested; on a grid, pure functions.

Boxes are fractions (x1, y1, x2, y2) of one view.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pixel_env.media.geometry import Box

SHORTEST_SIDE = 0.05
"""Smallest side of a zoom, so that it is never too small to be executed."""

GAP = 0.01
"""What a zoom beside the target keeps away from it, so that rounding to pixels can't show it."""

_DECIMALS = 6


def union(boxes: Sequence[Box]) -> Box:
    """Returns the smallest box around some, at least one.

    Example:
        >>> union([(0.1, 0.5, 0.2, 0.6), (0.0, 0.55, 0.1, 0.9)])
        (0.0, 0.5, 0.2, 0.9)
    """
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def contains(outer: Box, inner: Box, tolerance: float = 1e-6) -> bool:
    """Returns whether a box holds another one, edges included."""
    return (
        outer[0] <= inner[0] + tolerance
        and outer[1] <= inner[1] + tolerance
        and outer[2] >= inner[2] - tolerance
        and outer[3] >= inner[3] - tolerance
    )


def overlap(one: Box, other: Box) -> bool:
    """Returns whether two boxes share an area."""
    return (
        max(one[0], other[0]) < min(one[2], other[2])
        and max(one[1], other[1]) < min(one[3], other[3])
    )  # fmt: skip


def within(outer: Box, inner: Box) -> Box:
    """Turns a box of the source into a box of the view that shows `outer`, cut to the view.

    The opposite of `pixel_env.media.geometry.nest_box`.

    Example:
        >>> within((0.5, 0.0, 1.0, 0.5), (0.5, 0.25, 0.75, 0.5))
        (0.0, 0.5, 0.5, 1.0)
    """
    width, height = outer[2] - outer[0], outer[3] - outer[1]
    edges = (
        (inner[0] - outer[0]) / width,
        (inner[1] - outer[1]) / height,
        (inner[2] - outer[0]) / width,
        (inner[3] - outer[1]) / height,
    )
    x1, y1, x2, y2 = (min(max(edge, 0.0), 1.0) for edge in edges)
    return x1, y1, x2, y2


def around(target: Box, margin: float, jitter: float, step: float, rng: np.random.Generator) -> Box:
    """Draws a box around a target; it always holds the target.

    Args:
        target: what must be inside.
        margin: what is added on each side, as a fraction of the target's side.
        jitter: by which part of itself each side's margin varies at most, in [0, 1].
        step: edges become multiples of this, rounded outwards.
        rng: draws four numbers.
    """
    spread = rng.uniform(-jitter, jitter, 4)
    edges = [_widened(target[i], target[i + 2], margin, spread[i::2]) for i in (0, 1)]
    (x1, x2), (y1, y2) = (
        (_down(low, step), min(_up(high, step), 1.0)) for low, high in edges
    )  # fmt: skip
    return x1, y1, x2, y2


def centred(
    target: Box, sides: tuple[float, float], jitter: float, step: float, rng: np.random.Generator
) -> Box:
    """Draws a box of fixed sides centred on a target, moved as little as the grid asks for.

    Args:
        target: inside the box wherever its sides and the grid allow that.
        sides: (width, height) of the box, each in (0, 1].
        jitter: how far the centre is moved at most, as a fraction of the free room, in [0, 1].
        step: the low edges become multiples of this.
        rng: draws two numbers.
    """
    spread = rng.uniform(-jitter, jitter, 2)
    lows = [_placed(target[i], target[i + 2], sides[i], spread[i], step) for i in (0, 1)]
    x1, y1 = lows
    return x1, y1, _rounded(min(x1 + sides[0], 1.0)), _rounded(min(y1 + sides[1], 1.0))


def beside(
    sides: tuple[float, float],
    avoid: Sequence[Box],
    step: float,
    rng: np.random.Generator,
    earlier: Sequence[Box] = (),
) -> Box | None:
    """Draws a box that shows nothing of some others, every place on the grid equally likely.

    Args:
        sides: (width, height) of the box.
        avoid: what it must not touch; a gap is kept.
        step: the low edges are multiples of this.
        rng: draws one number.
        earlier: boxes of the same sides that it must differ from by half a side at least.

    Returns:
        The box; None where there is no room.
    """
    x, y = np.meshgrid(*(_grid(1 - side, step) for side in sides), indexing="ij")
    free = np.ones(x.shape, np.bool_)
    for box in avoid:
        outside_x = (x + sides[0] + GAP <= box[0]) | (x - GAP >= box[2])
        outside_y = (y + sides[1] + GAP <= box[1]) | (y - GAP >= box[3])
        free &= outside_x | outside_y
    for box in earlier:
        far_x = abs(x - box[0]) >= sides[0] / 2
        free &= far_x | (abs(y - box[1]) >= sides[1] / 2)
    places = np.flatnonzero(free)
    if not len(places):
        return None
    place = places[rng.integers(len(places))]
    x1, y1 = float(x.flat[place]), float(y.flat[place])
    return _rounded(x1), _rounded(y1), _rounded(x1 + sides[0]), _rounded(y1 + sides[1])


def sides_of(box: Box) -> tuple[float, float]:
    """Returns a box's (width, height)."""
    return _rounded(box[2] - box[0]), _rounded(box[3] - box[1])


def _widened(
    low: float, high: float, margin: float, spread: NDArray[np.float64]
) -> tuple[float, float]:
    """Adds margins to an interval and makes it at least `SHORTEST_SIDE` long, within [0, 1]."""
    size = high - low
    least = max((SHORTEST_SIDE - size) / 2, 0.0)
    below = max(low - max(margin * size * (1 + spread[0]), least), 0.0)
    above = min(high + max(margin * size * (1 + spread[1]), least), 1.0)
    missing = max(SHORTEST_SIDE - (above - below), 0.0)  # cut off by an edge of the picture
    return (below, above + missing) if below == 0 else (below - missing, above)


def _placed(low: float, high: float, side: float, spread: float, step: float) -> float:
    """Returns the multiple of `step` at which an interval of length `side` starts."""
    room = max(side - (high - low), 0.0) / 2
    wanted = (low + high - side) / 2 + spread * room
    starts = _grid(1 - side, step)
    holding = starts[(starts <= low + 1e-9) & (starts + side >= high - 1e-9)]
    allowed = holding if len(holding) else starts
    return _rounded(float(allowed[np.argmin(abs(allowed - wanted))]))


def _grid(last: float, step: float) -> NDArray[np.float64]:
    """Returns the multiples of `step` from 0 to `last`."""
    n_steps = math.floor(max(last, 0.0) / step + 1e-9)
    return np.arange(n_steps + 1, dtype=np.float64) * step


def _down(value: float, step: float) -> float:
    return _rounded(math.floor(value / step + 1e-9) * step)


def _up(value: float, step: float) -> float:
    return _rounded(math.ceil(value / step - 1e-9) * step)


def _rounded(value: float) -> float:
    return round(value, _DECIMALS)
