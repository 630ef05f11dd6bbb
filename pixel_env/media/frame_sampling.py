"""Which frames of a clip are shown first: spread evenly between two bounds, as MVBench does."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_ROUNDING_S = 1e-3
"""How far a frame's time may lie outside a bound; files round times, Matroska to milliseconds."""


def timed_indices(
    times_s: Sequence[float], start_s: float | None, end_s: float | None
) -> tuple[int, int]:
    """Returns the first and last index of the frames whose own times lie between bounds.

    Args:
        times_s: when each frame is shown, rising.
        start_s: where the part begins; None: with the clip.
        end_s: where the part ends, included; None: with the clip.

    Returns:
        Two indices from 0, both included. The second is the smaller one where no frame's time lies
        between the bounds.

    >>> timed_indices((0.0, 0.1, 4.0, 4.1, 4.2), 4.0, 4.1)
    (2, 3)
    >>> timed_indices((0.0, 0.1, 4.0, 4.1, 4.2), 2.0, 3.0)
    (2, 1)
    """
    start = 0 if start_s is None else bisect_left(times_s, start_s - _ROUNDING_S)
    end = len(times_s) if end_s is None else bisect_right(times_s, end_s + _ROUNDING_S)
    return start, end - 1


def bounded_indices(
    first: int, last: int, fps: float, start_s: float | None, end_s: float | None
) -> tuple[int, int]:
    """Turns bounds in seconds into the first and last frame index between them, both included.

    MVBench's rule: from max(first, round(start * fps)) to min(round(end * fps), last).

    Args:
        first: index of the clip's first frame; MVBench counts from 0 in a video file, from 1 in a
            folder of frames.
        last: index of the clip's last frame.
        fps: frames a second.
        start_s: where the part begins; None: with the clip.
        end_s: where the part ends; None: with the clip.

    Returns:
        Two indices. The second is the smaller one where the clip has no frame between the bounds.

    >>> bounded_indices(0, 299, 30.0, 2.0, 5.5)
    (60, 165)
    """
    start = first if start_s is None else max(first, round(start_s * fps))
    end = last if end_s is None else min(round(end_s * fps), last)
    return start, end


def spread_indices(start: int, end: int, n: int) -> tuple[int, ...]:
    """Chooses `n` different indices spread evenly: the middle of each of `n` equal parts.

    MVBench's rule: int(start + part / 2 + round(part * i)) for i from 0 to n - 1, where
    part = (end - start) / n. Where rounding makes two parts meet, an index that is still free
    takes the place of the second.

    Args:
        start: the first index that may be chosen.
        end: the last one, at least `start`.
        n: how many, at least 1; where there are fewer, all are chosen.

    Returns:
        Indices, rising.

    >>> spread_indices(60, 165, 4)
    (73, 99, 125, 152)
    """
    if end - start + 1 <= n:
        return tuple(range(start, end + 1))
    part = (end - start) / n
    chosen = {int(start + part / 2 + round(part * i)) for i in range(n)}
    spare = (index for index in range(start, end + 1) if index not in chosen)
    missing = n - len(chosen)
    return tuple(sorted(chosen | {next(spare) for _ in range(missing)}))
