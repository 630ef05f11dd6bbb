"""Values become JSON's types, or the error names which part of them can't."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pixel_env import ConfigError
from pixel_env.files.json_values import plain


@dataclass(frozen=True)
class Inner:
    rates: tuple[float, ...] = (0.5, 1.0)


@dataclass(frozen=True)
class Outer:
    name: str = "x"
    inner: Inner = field(default_factory=Inner)
    by_name: dict = field(default_factory=lambda: {"a": Inner((2.0,))})


def test_numpy_tuples_and_dataclasses_become_lists_numbers_and_objects():
    value = {"ids": np.arange(3), "n": np.int64(4), "is": np.bool_(True), "t": (1, "b", None)}
    assert json.dumps(plain(value)) == '{"ids": [0, 1, 2], "n": 4, "is": true, "t": [1, "b", null]}'
    assert plain(Outer()) == {
        "name": "x",
        "inner": {"rates": [0.5, 1.0]},
        "by_name": {"a": {"rates": [2.0]}},
    }


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"who": {1, 2}}, r"info\.who to be made of JSON.s types, got set"),
        ({"list": [0, {"deep": object()}]}, r"info\.list\[1\]\.deep .*got object"),
        ({1: "a"}, "info to be made of JSON"),
        (Inner, "got type"),
    ],
)
def test_what_json_does_not_know_is_named(value, named):
    with pytest.raises(ConfigError, match=named):
        plain(value, "info")


def test_everything_else_becomes_what_the_caller_says():
    given = {"a": (1, {2}), 3: Path("x/y"), "b": None, "nan": math.nan, "inf": -math.inf}
    assert plain(given, other=str) == {
        "a": [1, [2]], "3": "x/y", "b": None, "nan": "nan", "inf": "-inf",
    }  # fmt: skip
    assert plain({"fault": ValueError("no")}, other=repr) == {"fault": "ValueError('no')"}


def test_floats_that_are_not_finite_stay_where_nothing_is_set():
    assert math.isnan(plain({"loss": math.nan})["loss"])
    assert plain([np.float32(np.inf)]) == [math.inf]


def test_a_named_tuple_is_an_object_of_its_fields():
    class Span(NamedTuple):
        low: float
        high: float

    assert plain(Span(0.5, math.inf), other=lambda _: None) == {"low": 0.5, "high": None}
