"""Values that a policy gave are read as what they are, and quoted short where they are wrong."""

import pytest

from pixel_env.reading import finite_number, json_whole_number, quoted


def test_numbers_are_numbers_also_as_digits_in_a_text():
    assert [json_whole_number(v) for v in (2, 2.0, 0, -1, "2", " 7 ", "-3", "2.0")] == [
        *(2, 2, 0, -1),
        *(2, 7, -3, 2),
    ]
    assert [json_whole_number(v) for v in (2.5, True, None, [], 1e300, float("inf"))] == [None] * 6
    assert [finite_number(value) for value in (2, 0.5, "0.25", "-1", "300")] == [
        2,
        0.5,
        0.25,
        -1,
        300,
    ]
    assert [finite_number(v) for v in (False, None, float("nan"), float("inf"), [])] == [None] * 5


@pytest.mark.parametrize(
    "text",
    ["", "-", "one", "1e3", "0x10", "1,5", "1 2", "50%", "NaN", "\u0663", "\n1", "+1", "9" * 16],
)
def test_other_text_is_no_number(text):
    assert json_whole_number(text) is None
    assert finite_number(text) is None


def test_what_a_model_wrote_is_quoted_short_and_plain():
    assert quoted("a" * 500) == '"' + "a" * 39 + "..."
    assert quoted("\ud800\n猫") == '"\\ud800\\n\\u732b"'
