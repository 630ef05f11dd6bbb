"""The course of a training as a small drawing: an SVG that needs no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 150, 12, 24
COLOURS = ("#2463b0", "#c02a1c", "#13783e", "#8a5a00", "#7a3aa0")


def draw_curves(steps: Sequence[int], series: Mapping[str, Sequence[float | None]]) -> str:
    """Returns an SVG of shares and other numbers between 0 and 1 by iteration.

    Args:
        steps: the iterations, rising.
        series: numbers by name, one for each step; None leaves a gap, and what lies outside [0, 1]
            is drawn at its edge.
    """
    last = max(1, *steps) if steps else 1
    lines = []
    for place, (name, values) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        lines += [_line(part, last, colour) for part in _parts(steps, values)]
        y = _TOP + 14 + 18 * place
        lines.append(
            f'<text x="{WIDTH - _RIGHT + 8}" y="{y}" fill="{colour}">{escape(name)}</text>'
        )
    marks = [
        f'<text x="4" y="{_y(share) + 4:.1f}">{share:g}</text>'
        f'<path d="M{_LEFT} {_y(share):.1f}H{WIDTH - _RIGHT}" stroke="#ccc"/>'
        for share in (0.0, 0.5, 1.0)
    ]
    foot = f'<text x="{_LEFT}" y="{HEIGHT - 6}">iteration 1 to {last}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join([*marks, *lines, foot])
        + "</svg>\n"
    )


def _parts(steps: Sequence[int], values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Splits a curve at its gaps."""
    parts: list[list[tuple[int, float]]] = [[]]
    for step, value in zip(steps, values, strict=True):
        if value is None:
            parts.append([])
        else:
            parts[-1].append((step, value))
    return [part for part in parts if part]


def _line(part: Sequence[tuple[int, float]], last: int, colour: str) -> str:
    width = WIDTH - _LEFT - _RIGHT
    points = [(_LEFT + width * step / last, _y(value)) for step, value in part]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2" fill="{colour}"/>'
    written = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{written}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _y(share: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - min(max(share, 0.0), 1.0))
