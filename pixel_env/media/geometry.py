"""The one box convention: fractions of a view, checked, padded, nested, turned into pixels.

A box is (x1, y1, x2, y2) in fractions of a picture's width and height, origin at the top left.
Nothing here guesses: a value over 1 is never taken for a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import OperationError

Box = tuple[float, float, float, float]
"""(x1, y1, x2, y2), fractions of a picture's width and height in [0, 1], x1 < x2, y1 < y2."""

OVERSHOOT = 1e-3
"""How far outside [0, 1] a value may lie and still be taken for a rounding of 0 or 1."""

FULL: Box = (0.0, 0.0, 1.0, 1.0)
"""The whole picture."""

_EPSILON = 1e-6
"""Of a pixel: what float arithmetic may add to an edge that was meant to be whole."""

_BORDER = 1e-4
"""Of a pixel: an edge nearer to a whole one is `settled`."""

_ALLOWED = "four numbers [x1, y1, x2, y2], fractions of the view from 0 to 1"


def check_box(values: object) -> tuple[Box, bool]:
    """Checks a box as a policy gave it.

    Args:
        values: anything; a box is a sequence or array of four finite real numbers.

    Returns:
        The box, and whether an overshoot of at most `OVERSHOOT` was clamped to [0, 1].

    Raises:
        OperationError: kind "bad_box", with one sentence on what is wrong and what is allowed.

    >>> check_box([0, 0, 0.5, 1.0004])
    ((0.0, 0.0, 0.5, 1.0), True)
    """
    numbers = _four_numbers(values)
    shown = "[" + ", ".join(f"{number:g}" for number in numbers) + "]"
    if not all(math.isfinite(number) for number in numbers):
        raise OperationError("bad_box", f"bbox must be {_ALLOWED}, all finite, got {shown}.")
    if any(number < -OVERSHOOT or number > 1 + OVERSHOOT for number in numbers):
        raise OperationError("bad_box", f"bbox must be {_ALLOWED}, got {shown}.")
    x1, y1, x2, y2 = (min(max(number, 0.0), 1.0) for number in numbers)
    if x1 >= x2 or y1 >= y2:
        raise OperationError("bad_box", f"bbox must have x1 < x2 and y1 < y2, got {shown}.")
    return (x1, y1, x2, y2), (x1, y1, x2, y2) != numbers


def _four_numbers(values: object) -> tuple[float, float, float, float]:
    """Reads four floats out of a list, tuple or array, or says what came instead."""
    if not isinstance(values, list | tuple | np.ndarray):
        raise OperationError(
            "bad_box", f"bbox must be {_ALLOWED}, got a value of type {type(values).__name__}."
        )
    count = len(values) if not isinstance(values, np.ndarray) or values.ndim else 1
    if count != 4 or (isinstance(values, np.ndarray) and values.ndim != 1):
        raise OperationError("bad_box", f"bbox must be {_ALLOWED}, got {count} values.")
    x1, y1, x2, y2 = (_number(value) for value in values)
    return x1, y1, x2, y2


def _number(value: object) -> float:
    """Reads one real number; booleans and numerals in quotes are none."""
    real = isinstance(value, int | float | np.integer | np.floating)
    if not real or isinstance(value, bool | np.timedelta64):  # which is a signed integer
        raise OperationError(
            "bad_box",
            f"bbox must be {_ALLOWED}, got an entry of type {type(value).__name__}.",
        )
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def pad_box(box: Box, padding: float) -> Box:
    """Widens a box by `padding` of the view's full width and height on every side, within [0, 1].

    >>> pad_box((0.0, 0.25, 0.5, 0.5), 0.25)
    (0.0, 0.0, 0.75, 0.75)
    """
    x1, y1, x2, y2 = box
    return (
        max(x1 - padding, 0.0),
        max(y1 - padding, 0.0),
        min(x2 + padding, 1.0),
        min(y2 + padding, 1.0),
    )


def nest_box(outer: Box, inner: Box) -> Box:
    """Turns a box of a view into a box of its source.

    Args:
        outer: the rectangle of the source that the view shows.
        inner: fractions of the view.

    Returns:
        The same rectangle in fractions of the source.

    >>> nest_box((0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0))
    (0.5, 0.25, 0.75, 0.5)
    """
    left, top, right, bottom = outer
    width, height = right - left, bottom - top
    x1, y1, x2, y2 = inner
    return (
        left + x1 * width,
        top + y1 * height,
        right if x2 == 1.0 else left + x2 * width,
        bottom if y2 == 1.0 else top + y2 * height,
    )


def box_to_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Returns the smallest whole-pixel rectangle that covers a box; at least one pixel.

    Returns:
        (left, top, right, bottom), right and bottom exclusive, within the picture.

    >>> box_to_pixels((0.1, 0.1, 0.5, 0.5), 1000, 800)
    (100, 80, 500, 400)
    """
    left, right = _edges(box[0], box[2], width)
    top, bottom = _edges(box[1], box[3], height)
    return left, top, right, bottom


def _edges(low: float, high: float, side: int) -> tuple[int, int]:
    """Rounds two edges outwards, within [0, side]."""
    first = min(max(math.floor(low * side + _EPSILON), 0), side - 1)
    last = max(min(math.ceil(high * side - _EPSILON), side), first + 1)
    return first, last


def settled(low: float, high: float, side: float) -> tuple[float, float]:
    """Moves edges away from where a rounding error decides which pixel they fall on.

    They fall on the same pixels as before, also after a shift by whole pixels, which adds an error
    of its own.

    Args:
        low: the lower edge, a fraction of the side.
        high: the upper edge.
        side: the side in pixels.

    >>> settled(1.000001e-8, 0.5, 100), settled(0.2999999, 0.5, 100)
    ((0.0, 0.5), (0.299999, 0.5))
    """
    first, last = math.floor(low * side + _EPSILON), math.ceil(high * side - _EPSILON)
    return _settled(low, side, first), _settled(high, side, last)


def _settled(edge: float, side: float, pixel: int) -> float:
    """Moves one edge that is rounded to a pixel."""
    whole = round(edge * side)
    if abs(edge * side - whole) > _BORDER:
        return edge
    return (whole + _BORDER * (pixel - whole)) / side


def pixels_to_box(pixels: Sequence[int], width: int, height: int) -> Box:
    """Returns the fractions of a whole-pixel rectangle.

    >>> pixels_to_box((100, 80, 500, 400), 1000, 800)
    (0.1, 0.1, 0.5, 0.5)
    """
    left, top, right, bottom = pixels
    return (left / width, top / height, right / width, bottom / height)


def fit(
    width: int, height: int, min_pixels: int, max_pixels: int, multiple: int = 28
) -> tuple[int, int]:
    """Chooses the size that a picture is shown at: Qwen-VL's "smart resize" rule.

    Each side is rounded to a multiple of `multiple`; if the pixel count then leaves
    [min_pixels, max_pixels], both sides are scaled by one factor into the range. Where that
    fails (a very long picture, or a range too narrow to hold the ratio) the sides in the range
    with the nearest ratio are taken, and where no sides lie in the range, the nearest below
    `max_pixels`.

    Args:
        width: the picture's width in pixels, at least 1.
        height: the picture's height in pixels, at least 1.
        min_pixels: fewest pixels shown.
        max_pixels: most pixels shown, at least multiple * multiple.
        multiple: what both sides are multiples of.

    Returns:
        (width, height) in pixels.

    >>> fit(1000, 800, 256 * 784, 8000 * 784)
    (1008, 812)
    >>> fit(400, 320, 256 * 784, 5120 * 784)
    (504, 420)
    >>> fit(10_000, 10, 4 * 784, 16 * 784)
    (448, 28)
    >>> fit(896, 896, 112 * 112, 112 * 112, multiple=32)
    (96, 96)
    """
    columns = max(1, round(width / multiple))
    rows = max(1, round(height / multiple))
    unit = multiple * multiple
    if columns * rows * unit > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        columns = max(1, math.floor(width / scale / multiple))
        rows = max(1, math.floor(height / scale / multiple))
    elif columns * rows * unit < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        columns = math.ceil(width * scale / multiple)
        rows = math.ceil(height * scale / multiple)
    if not min_pixels <= columns * rows * unit <= max_pixels:
        columns, rows = _nearest_sides(
            width / height, math.ceil(min_pixels / unit), max(1, max_pixels // unit)
        )
    return columns * multiple, rows * multiple


def _nearest_sides(ratio: float, fewest: int, most: int) -> tuple[int, int]:
    """Returns the whole (columns, rows), fewest <= columns * rows <= most, nearest to `ratio`.

    Of several with that ratio the largest is taken.
    """
    best: tuple[float, int, int, int] | None = None
    for columns in range(1, most + 1):
        low, high = max(1, math.ceil(fewest / columns)), most // columns
        if low > high:
            continue
        rows = min(max(round(columns / ratio), low), high)
        distance = round(abs(math.log(columns / rows / ratio)), 9)
        candidate = (distance, -columns * rows, columns, rows)
        best = candidate if best is None or candidate < best else best
    if best is None:
        return _nearest_sides(ratio, 1, most)
    return best[2], best[3]
