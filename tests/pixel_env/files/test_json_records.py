"""Records are read with their types; whatever is wrong is one fault that names them."""

from dataclasses import dataclass, field

import pytest

from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed, record


@dataclass(frozen=True)
class Made:
    number: int
    rate: float
    names: tuple[str, ...]
    right: bool = False
    place: int | None = None
    more: dict[str, object] = field(default_factory=dict)


WHOLE = {"number": 3, "rate": 1, "names": ["a", "b"], "place": None, "more": {"x": [1]}}


def test_an_object_becomes_its_dataclass():
    assert record(Made, WHOLE, "x") == Made(3, 1.0, ("a", "b"), False, None, {"x": [1]})
    assert record(Made, {"number": 0, "rate": 0.5, "names": []}, "x") == Made(0, 0.5, ())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"number": "3"}, "a.jsonl, line 2: expected number to be int, got '3'"),
        ({"number": True}, "expected number to be int, got True"),
        ({"number": 10**400}, "expected number to be int, got int"),
        ({"rate": float("nan")}, "expected rate to be float, got float"),
        ({"rate": 10**400}, "expected rate to be float, got int"),
        ({"names": ["a", 1]}, r"expected names to be tuple\[str, ...\], got list"),
        ({"names": "ab"}, "expected names to be"),
        ({"right": 1}, "expected right to be bool, got int"),
        ({"place": 0.5}, r"expected place to be int \| None, got float"),
        ({"more": []}, "expected more to be dict"),
        ({"other": 1}, "it has 'other', which is none of number"),
    ],
)
def test_a_value_of_another_type_is_named(changed, message):
    with pytest.raises(DataError, match=message):
        record(Made, WHOLE | changed, "a.jsonl, line 2")


def test_what_is_missing_is_named():
    with pytest.raises(DataError, match="x: it has no 'names'"):
        record(Made, {"number": 1, "rate": 1.0}, "x")
    with pytest.raises(DataError, match="x: expected an object, got list"):
        record(Made, [], "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "a.json: not valid JSON"),
        (b"", "a.json: not valid JSON"),
        (b"\xff", r"a.json: not valid UTF-8 \(byte 0\)"),
        ("[" * 100_000, "a.json: can't be read .it is nested too deep"),
        ("1" * 5_000, "a.json: can't be read"),
    ],
)
def test_a_text_that_is_no_json_is_named(text, message):
    with pytest.raises(DataError, match=message):
        parsed(text, "a.json")
    assert parsed("[1]", "a.json") == parsed(b"[1]", "a.json") == [1]
