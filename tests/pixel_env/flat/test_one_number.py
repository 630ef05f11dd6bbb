"""Every action stands once among the numbers, and does what its row does."""

import itertools

import numpy as np
import pytest

from pixel_env.errors import ConfigError
from pixel_env.flat import one_number
from pixel_env.flat.episode import Memory, decode
from pixel_env.flat.one_number import action_rows
from pixel_env.flat.spaces import FlatConfig

PICTURES = FlatConfig(scales=(0.5,), stride=1.0, n_views=3, n_pictures=2, n_choices=4)
CLIP = FlatConfig(scales=(0.5,), stride=1.0, n_views=2, has_clips=True, n_pictures=3, vocabulary=4)


def test_numbers_are_counted_by_hand():
    # Four answers; four boxes in two pictures of the overview and in two newer views.
    assert len(action_rows(PICTURES)) == 4 + 4 * (2 + 2)
    # Five counts; four boxes in three frames and in one newer view; three frames to select.
    rows = action_rows(CLIP)
    assert len(rows) == 5 + 4 * (3 + 1) + 3
    assert rows[:, 0].tolist() == [0] * 5 + [1] * 16 + [2] * 3
    assert rows[-1].tolist() == [2, 0, 0, 2, 0]


@pytest.mark.parametrize("config", [PICTURES, CLIP], ids=["pictures", "clip"])
def test_the_actions_of_all_rows_are_those_of_the_numbers_each_once(config):
    memory = Memory((), config.n_pictures, config.n_pictures, config.n_choices)

    def action(row):
        return repr(decode(config, memory, row))

    several = [np.arange(size) for size in config.action_sizes]
    every = {action(row) for row in itertools.product(*several) if row[2] == 0}
    numbered = [action(row) for row in action_rows(config) if row[2] == 0]
    assert set(numbered) == every
    assert len(numbered) == len(every)
    assert all(row in config.action_space for row in action_rows(config))


def test_too_many_actions_are_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(one_number, "MOST_VALUES", 19)
    with pytest.raises(ConfigError, match="at most 19 actions, got 28; with as_row=True"):
        action_rows(PICTURES)
