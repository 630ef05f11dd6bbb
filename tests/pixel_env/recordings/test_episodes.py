"""Recorded episodes are read: chosen ones, checked, with a fault for each line that is none."""

import re

import pytest
from recorded_pictures import record

from pixel_env import ConfigError, DataError
from pixel_env.recordings import Filter, read_episodes


@pytest.fixture
def folder(tmp_path):
    return record(tmp_path / "episodes")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, 4),
        ({"only": ("looked", "wrong")}, 2),
        ({"only": ("errors",)}, 1),
        ({"text": "ALERT(1)"}, 1),
        ({"category": "nothing"}, 0),
    ],
)
def test_episodes_are_chosen(folder, chosen, expected):
    assert len(list(read_episodes(folder, Filter(**chosen)))) == expected


def test_as_many_as_asked_for_are_read_and_a_line_being_written_is_left(folder):
    assert len(list(read_episodes(folder, limit=2))) == 2
    path = folder / "trajectories.jsonl"
    path.write_bytes(path.read_bytes() + b'{"question": "half')
    assert len(list(read_episodes(folder))) == 4


@pytest.mark.parametrize("line", [b"{}\n", b"[1]\n", b"\xff\n", b'{"question": 1}\n', b"null\n"])
def test_a_line_that_is_no_trajectory_is_named(folder, line):
    path = folder / "trajectories.jsonl"
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(DataError, match=r"trajectories\.jsonl line 5 is no trajectory"):
        list(read_episodes(folder))


def test_a_wrong_folder_or_outcome_is_one_sentence(folder):
    with pytest.raises(ConfigError, match=re.escape(f"these hold some: {folder}")):
        list(read_episodes(folder.parent))
    with pytest.raises(ConfigError, match="Did you mean 'right'"):
        Filter(only=("rigth",))
    with pytest.raises(ConfigError, match="limit"):
        list(read_episodes(folder, limit=0))


def test_lines_that_are_no_records_are_passed_over_where_that_is_asked_for(folder):
    path = folder / "trajectories.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes() + b"\xff\n")
    faults = []
    assert len(list(read_episodes(folder, faults=faults))) == 4
    assert [re.search(r"line (\d)", str(fault))[1] for fault in faults] == ["1", "6"]
