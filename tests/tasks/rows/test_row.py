"""Columns of a row: every fault names file and row."""

from __future__ import annotations

import pytest

from pixel_env.errors import DataError
from pixel_env.tasks.rows.row import Row


def test_columns_are_checked():
    row = Row({"n": 3, "s": " a ", "blank": " ", "yes": True}, "q.jsonl row 4")
    assert (row.text("s"), row.name("s"), row.name("n")) == (" a ", "a", "3")
    with pytest.raises(DataError, match=r"^q\.jsonl row 4: expected text in column 'n', got 3$"):
        row.text("n")
    with pytest.raises(DataError, match="column 'm' is missing; the columns are blank, n, s, yes"):
        row.text("m")
    for column in ("blank", "yes"):
        with pytest.raises(DataError, match="expected a name or a number"):
            row.name(column)


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (Row.sentence, " \n", "it is blank"),
        (Row.number, True, "expected a number in column 'a', got True"),
        (Row.number, float("nan"), "expected a number"),
        (Row.number, "3", "expected a number"),
        (Row.flag, 1, "expected true or false in column 'a', got 1"),
        (Row.texts, "abc", "expected a list of texts"),
        (Row.texts, [], "expected a list of texts"),
        (Row.texts, ["a", 3], "expected a list of texts"),
    ],
)
def test_column_of_the_wrong_type_is_refused(read, value, message):
    with pytest.raises(DataError, match=f"^q row 1: .*{message}"):
        read(Row({"a": value}, "q row 1"), "a")


def test_column_holds_what_it_should():
    row = Row({"s": " a\n b ", "x": 2, "yes": False, "list": ["a"]}, "q row 1", {"image": bytes})
    assert (row.sentence("s"), row.number("x"), row.flag("yes")) == ("a b", 2.0, False)
    assert row.texts("list") == ("a",)
    assert ["s" in row, "image" in row, "z" in row] == [True, True, False]
