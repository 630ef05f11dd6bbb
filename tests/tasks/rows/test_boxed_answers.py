"""Gold answers in boxes, some of them lists as Python writes them; nothing is evaluated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.tasks.rows.boxed_answers import accepted_answers, listed_texts


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["\\boxed{B}"], ("B",)),
        (["\\boxed{\\text{B}}"], ("B",)),
        (["\\boxed{['27%', '27 %']}"], ("27%", "27 %")),
        (['\\boxed{["it\'s", "a \\"b\\""]}'], ("it's", 'a "b"')),
        (["\\boxed{[3, 4.5]}"], ("3", "4.5")),
        (["\\boxed{['{a}', 'b']}"], ("{a}", "b")),
        (["\\boxed{[a, b]}"], ("[a, b]",)),
        (["\\boxed{1}", "\\boxed{1}", "\\boxed{2}"], ("1", "2")),
        (["bare"], ("bare",)),
        (["\\boxed{}"], ()),
        (["\\boxed{[]}"], ()),
        (["\\boxed{" + "x" * 30_000 + "}"], ()),
        ([], ()),
    ],
)
def test_accepted_answers(written, expected):
    assert accepted_answers(written) == expected


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF)), max_size=4))
def test_list_is_read_as_python_writes_it(texts):
    printable = [text for text in texts if text.isprintable()]
    assert listed_texts(repr(printable)) == printable


@pytest.mark.parametrize(
    "text",
    ["[__import__('os')]", "['a' 'b']", "['a'", "'a'", "[f'a']", "['a', x]", "[[1]]", "['a\\']"],
)
def test_what_is_no_list_of_texts_is_not_read(text):
    assert listed_texts(text) is None


def test_long_text_is_read_in_time():
    assert listed_texts("[" + "'a'," * 50_000 + "b]") is None
    assert listed_texts("['" + "\\" * 100_001 + "]") is None
