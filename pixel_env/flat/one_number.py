"""Flat actions as one whole number each: what a plain head of logits or of values chooses from.

A row of `FlatConfig.action_space` has numbers that its kind ignores, so that many rows are the same
action. Here every action stands once.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .spaces import COLUMNS, MOST_VALUES, FlatConfig, used_by


def action_rows(config: FlatConfig) -> NDArray[np.int64]:
    """Returns the row that each action stands for, (n_actions, numbers of a row).

    Kind by kind, first the answers; of a kind, the last number that it uses varies fastest. What it
    ignores is 0: of a zoom, `frame` counts for target 0 alone, the overview.

    Raises:
        ConfigError: there are more than `MOST_VALUES` actions.

    >>> config = FlatConfig(scales=(0.5,), stride=1.0, n_views=2, vocabulary=("yes", "no"))
    >>> action_rows(config)[:4].tolist()
    [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0, 1, 0, 0]]
    """
    names, sizes = (*COLUMNS, *config.further_arguments), config.action_sizes
    rows: list[tuple[int, ...]] = []
    for place, kind in enumerate(config.kinds):
        used = used_by(kind)
        ranges = [
            range(size) if name in used else (0,)
            for name, size in zip(names[1:], sizes[1:], strict=True)
        ]
        n_actions = len(rows) + math.prod(len(each) for each in ranges)
        if n_actions > MOST_VALUES:
            raise ConfigError(
                f"expected at most {MOST_VALUES:,} actions, got {n_actions:,}; with as_row=True an "
                f"action is a row of numbers"
            )
        made = [(place, *numbers) for numbers in itertools.product(*ranges)]
        target, frame = COLUMNS.index("target"), COLUMNS.index("frame")
        rows += [row for row in made if "target" not in used or not (row[target] and row[frame])]
    return np.array(rows, np.int64)
