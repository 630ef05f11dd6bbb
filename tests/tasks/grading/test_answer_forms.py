"""Answers as models write them in prose: `tests/tasks/answer_forms.jsonl`, and by property.

A row has the options, the text, and the `place` of the option that it chooses, from 0, or `unread`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.tasks.grading import declared_letter, grade_choice
from pixel_env.types import LETTERS, Sample

FORMS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "answer_forms.jsonl").read_text("utf-8").splitlines()
]

REASONING = st.lists(
    st.sampled_from(
        [
            *(
                "I zoom in on the upper part.",
                "The object is partly hidden.",
                "At first I was unsure.",
            ),
            *("It can't be the one behind the tree.", "A man stands there.", "Let me look again."),
            *("The light is dim, but the shape is clear.", "There are two of them near the door."),
        ]
    ),
    max_size=4,
)
TEXTS = st.sampled_from(
    [
        ("red", "blue", "green", "white", "black"),
        ("left", "right"),
        ("red", "red car", "dark red", "car"),
        ("1", "2", "3", "4", "5"),
        ("a cup", "a mug", "a glass bottle", "a vase"),
        ("The bag is on the left side of the man.", "The bag is on the right side of the man."),
        ("not visible", "open", "closed", "half open"),
        ("10:30", "3:40 PM", "12%", "1,200"),
    ]
)
CHOSEN = st.sampled_from(
    [
        *("{L}", "({L})", "**{L}**", "{L}. {text}", "({L}) {text}", "{text}", "**{L}: {text}**"),
        *("Answer: {L}", "**Answer:** ({L}) {text}", "Final answer: {L}", "The answer is ({L})."),
        *("Option {L}: {text}", "I choose ({L}).", "This matches option ({L}).", "{text} ({L})"),
        *(
            "Therefore the best match is ({L}) {text}",
            "Hence, option {L}.",
            "Option {L} is correct.",
        ),
    ]
)
NOT_CHOSEN = st.sampled_from(
    [
        *("{L} or {M}", "({L}) {other}", "{L}. {other}", "not {L}", "The answer is not ({L})."),
        *("({L}) {text} or ({M}) {other}", "None of the options.", "Neither ({L}) nor ({M})."),
        *(
            "Option ({L}) {text}: present, but not the one asked for",
            "This rules out ({L}) {text}.",
        ),
        *("It might be ({L}).", "Answer: {L} or {M}", "If the other is meant, the answer is {L}."),
        *(
            "Answer: ({L}) {other}",
            "Is it ({L})?",
            "I considered ({L}) {text}.",
            "{text} or {other}",
        ),
    ]
)


@pytest.mark.parametrize("form", FORMS, ids=[form["kind"] for form in FORMS])
def test_form(form):
    options = tuple(form["options"])
    place = declared_letter(form["text"], options)
    assert place == form.get("place")
    for right in range(len(options)):
        grade = grade_choice(Sample("s", "?", (), (), options, right), form["text"])
        assert grade.correct is (right == form.get("place"))


def test_forms_are_many_and_of_both_sorts():
    sorts = Counter("place" if "place" in form else "unread" for form in FORMS)
    assert all(("place" in form) != ("unread" in form) for form in FORMS)
    assert min(sorts.values()) >= 150
    assert max(Counter((form["text"], str(form["options"])) for form in FORMS).values()) == 1


@st.composite
def messages(draw, closings):
    """A message over random options, and the place of the one that it speaks of."""
    texts = draw(TEXTS)
    options = draw(st.permutations(texts))[: draw(st.integers(2, len(texts)))]
    place, other = draw(st.permutations(range(len(options))))[:2]
    closing = draw(closings).format(
        L=LETTERS[place], M=LETTERS[other], text=options[place], other=options[other]
    )
    paragraphs = [draw(st.sampled_from([" ", "\n"])).join(draw(REASONING))]
    if draw(st.booleans()):
        listed = (f"({LETTERS[i]}) {text}" for i, text in enumerate(options))
        paragraphs.append("\n".join(listed))
    return "\n\n".join([*filter(None, paragraphs), closing]), options, place


@given(messages(CHOSEN))
def test_the_option_put_into_a_message_is_the_one_read(message):
    text, options, place = message
    assert declared_letter(text, options) == place


@given(messages(NOT_CHOSEN))
def test_a_message_that_chooses_no_option_is_unread(message):
    text, options, _ = message
    assert declared_letter(text, options) is None
