"""What a message answers as a whole."""

from __future__ import annotations

import pytest

from pixel_env.dialects.grammar.answers import MAX_PLAIN_CHARS, plain_answer
from pixel_env.tasks.grading import declared_letter

OPTIONS = ("copper", "ivory", "olive")


@pytest.mark.parametrize("closing", ["C", "(C) olive", "Answer: C", "This matches option (C)."])
def test_the_end_of_a_long_message_is_its_answer(closing):
    answer = plain_answer("The ladder leans on the shed. " * 1000 + f"\n\n{closing}")
    assert answer is not None
    assert len(answer) <= MAX_PLAIN_CHARS
    assert declared_letter(answer, OPTIONS) == 2


@pytest.mark.parametrize("n_more", range(12))
def test_where_a_long_message_is_cut_no_option_begins_its_answer(n_more):
    part = "(C) olive and dull green. "
    answer = plain_answer("x" * n_more + part + part * (MAX_PLAIN_CHARS // len(part)))
    assert answer is not None
    assert answer.startswith("... ")
    assert declared_letter(answer, OPTIONS) is None
