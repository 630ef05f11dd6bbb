"""Curves of a training as a picture: one panel a metric, one line an arm."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixel_env.files.whole_file import whole_file

Curves = Mapping[str, Mapping[str, NDArray[np.float64]]]
"""Values by the panel's title and the line's, each (seeds, iterations)."""

WINDOW = 5
"""Iterations that a drawn value is the mean of: single ones are noisy."""

_COLUMNS = 3
"""Panels in one row at most; more stand in two."""


def draw_curves(curves: Curves, path: str | os.PathLike[str]) -> None:
    """Draws the mean over seeds as a line and their range as a band; the format is the suffix's.

    Args:
        curves: at least one panel.
        path: of the picture, such as "curves.png".
    """
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    n_columns = len(curves) if len(curves) <= _COLUMNS else math.ceil(len(curves) / 2)
    n_rows = math.ceil(len(curves) / n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 3.4 * n_rows + 0.4), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False).flatten()
    for panel in panels[len(curves) :]:
        panel.set_axis_off()
    for panel, (title, lines) in zip(panels, curves.items(), strict=False):
        for label, values in lines.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # an iteration without any call
                mean = smoothed(np.nanmean(values, axis=0))
                low = smoothed(np.nanmin(values, axis=0))
                high = smoothed(np.nanmax(values, axis=0))
            iterations = np.arange(1, values.shape[1] + 1)
            (drawn,) = panel.plot(iterations, mean, label=label, linewidth=1.6)
            panel.fill_between(iterations, low, high, color=drawn.get_color(), alpha=0.12, lw=0)
        panel.set(title=title, xlabel="iteration", ylim=(-0.02, 1.02))
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    with whole_file(Path(path)) as stream:
        figure.savefig(stream, format=Path(path).suffix.removeprefix("."), dpi=110)


def smoothed(values: NDArray[np.float64], window: int = WINDOW) -> NDArray[np.float64]:
    """Returns the mean of each value and up to `window` - 1 before it, NaN left out.

    Example:
        >>> smoothed(np.array([1.0, 3.0, np.nan, 5.0]), 2).tolist()
        [1.0, 2.0, 3.0, 5.0]
    """
    parts = [values[max(0, end - window) : end] for end in range(1, len(values) + 1)]
    return np.array([np.nanmean(part) if np.isfinite(part).any() else np.nan for part in parts])
