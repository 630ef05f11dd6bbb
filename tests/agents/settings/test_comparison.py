"""Two settings differ in named entries, at every level."""

import pytest

from pixel_env import ConfigError
from pixel_env.agents.settings.comparison import check_same, differences

SAVED = {"seed": 0, "packages": {"numpy": "1", "av": "2"}, "old": 1, "same": [1, 2]}
GIVEN = {"seed": 1, "packages": {"numpy": "1", "torch": "3"}, "same": [1, 2]}


def test_differences_are_named_at_every_level():
    assert [tuple(each) for each in differences(SAVED, GIVEN)] == [
        ("seed", 0, 1),
        ("packages.av", "2", None),
        ("packages.torch", None, "3"),
        ("old", 1, None),
    ]
    assert str(differences(SAVED, GIVEN)[0]) == "seed was 0, is 1"
    assert len(str(differences({"a": "x" * 999}, {"a": ""})[0])) < 120


@pytest.mark.parametrize(
    ("may_differ", "left"),
    [
        (["seed", "old"], ["packages.av", "packages.torch"]),
        (["packages", "seed"], ["old"]),
        (["packages.av", "torch"], ["seed", "packages.torch", "old"]),
    ],
)
def test_entries_that_may_differ_are_left_out_with_all_inside_them(may_differ, left):
    assert [each.name for each in differences(SAVED, GIVEN, may_differ)] == left


def test_the_first_difference_is_refused_with_both_values():
    check_same(SAVED, GIVEN, ["seed", "packages", "old"])
    with pytest.raises(ConfigError, match="to resume, seed must be as it was saved: 0, got 1"):
        check_same(SAVED, GIVEN)
    with pytest.raises(ConfigError, match=r"packages\.torch .* saved: None, got '3'"):
        check_same(SAVED, GIVEN, ["seed", "packages.av"])
    with pytest.raises(ConfigError, match="config must be as it was saved: 1, got 2"):
        check_same(1, 2)
