"""Prompts as vLLM takes them, and what it read compared with what is recorded."""

import numpy as np
import pytest

from pixel_env.agents.engines.prompts import check_prompt, collapsed
from pixel_env.errors import ConfigError

PAD = 9


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        ([], []),
        ([1, 2], [1, 2]),
        ([9], [9]),
        ([9, 9, 9], [9]),
        ([1, 9, 9, 2, 9, 3, 9, 9, 9], [1, 9, 2, 9, 3, 9]),
    ],
)
def test_each_run_of_image_tokens_becomes_one(ids, wanted):
    assert collapsed(np.array(ids, np.int64), PAD).tolist() == wanted


def test_the_same_prompt_passes():
    check_prompt(np.array([1, 9, 9, 2]), np.array([1, 9, 9, 2]), 0)


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        ([1, 9, 9, 9, 2], "it read 5, and at position 3 the id 9 in place of 2"),
        ([1, 9, 2], "it read 3, and at position 2 the id 2 in place of 9"),
        ([1, 9, 9], "it read 3, and at position 3 the id nothing in place of 2"),
        ([1, 9, 9, 2, 7], "it read 5, and at position 4 the id 7 in place of nothing"),
        ([4, 9, 9, 2], "it read 4, and at position 0 the id 4 in place of 1"),
    ],
)
def test_another_prompt_stops_the_run_at_its_first_position(theirs, message):
    with pytest.raises(ConfigError, match="lane 5") as error:
        check_prompt(np.array([1, 9, 9, 2]), np.array(theirs), 5)
    assert message in str(error.value)
