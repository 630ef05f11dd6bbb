"""Every grader against `tests/tasks/grading_cases.jsonl`: one row a case, with its reason.

A row has the declared `answer`, or a whole `message` of which only what it declares is graded.
`expected` is the option's index, whether the text is right, the number read, or the ANLS; null
where nothing can be read.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pixel_env.declared import declared_answer
from pixel_env.tasks.grading import grade_anls, grade_choice, grade_count, grade_text
from pixel_env.types import LETTERS, Sample

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "grading_cases.jsonl").read_text("utf-8").splitlines()
]
WHOLE = "whole message"
ABOUT = {
    *("choice", "text", "count", "anls"),
    *("form", "unicode", "statement", "hedge", "denial", "refusal", "nothing", "known failure"),
    *("declaration", "several statements", "letter and text", "explanation", "contradiction"),
    *("option text", "yes or no", "no option", "word", "prose", "number", "sign or unit"),
    *("spelling", "other text", "several golds", "noun", "golden row", WHOLE),
}


def of_kind(kind: str) -> pytest.MarkDecorator:
    cases = [case for case in CASES if case["kind"] == kind]
    return pytest.mark.parametrize("case", cases, ids=[case["reason"] for case in cases])


def declared(case: dict) -> str:
    """The answer as a grader gets it; a message that declares nothing gets graded as empty."""
    return case["answer"] if "answer" in case else declared_answer(case["message"]) or ""


def free_sample(case: dict) -> Sample:
    golds = tuple(str(gold) for gold in case["golds"])
    return Sample("s", case.get("question", "?"), (), golds, origin="rows.jsonl, row 1")


@of_kind("choice")
def test_choice(case):
    choices, expected = tuple(case["choices"]), case["expected"]
    for right in range(len(choices)):
        sample = Sample("s", "?", (), (choices[right],), choices, right)
        grade = grade_choice(sample, declared(case))
        assert grade.parsed == (None if expected is None else LETTERS[expected])
        assert grade.correct is (expected == right)
        assert grade.score == float(expected == right)


@of_kind("text")
def test_text(case):
    grade = grade_text(free_sample(case), declared(case))
    assert (grade.score, grade.correct) == (float(case["expected"]), case["expected"])


@of_kind("count")
def test_count(case):
    grade = grade_count(free_sample(case), declared(case))
    trues = [{"four": 4}.get(gold) or int(gold) for gold in case["golds"]]
    if case["expected"] is None:
        assert (grade.score, grade.correct, grade.parsed, grade.error) == (0, False, None, None)
    else:
        assert grade.parsed == str(case["expected"])
        assert grade.error in [case["expected"] - true for true in trues]
        assert grade.correct is (case["expected"] in trues)
        assert grade.score == float(grade.correct)


@of_kind("anls")
def test_anls(case):
    grade = grade_anls(free_sample(case), declared(case))
    assert grade.score == pytest.approx(case["expected"], abs=5e-5)
    assert grade.correct is case["correct"]


def test_every_grader_and_every_class_of_reason_has_cases():
    assert len(CASES) >= 550
    kinds = Counter(case["kind"] for case in CASES)
    assert {kind: n >= 35 for kind, n in kinds.items()} == dict.fromkeys(
        ("choice", "text", "count", "anls"), True
    )
    assert set(kinds) | {case["about"] for case in CASES} == ABOUT
    assert {case["kind"] for case in CASES if case["about"] == WHOLE} == set(kinds)
    assert all((case["about"] == WHOLE) == ("message" in case) for case in CASES)


def test_every_case_has_its_own_reason_and_its_own_answer():
    reasons = Counter((case["kind"], case["reason"]) for case in CASES)
    assert [reason for reason, n in reasons.items() if n > 1] == []
    assert all(case["reason"] for case in CASES)


@pytest.mark.parametrize(
    "failure",
    [
        "Based on the image, the answer is (C)",
        "I see it. Answer: B",
        "\\boxed{B}",
        "I don't know",
        "\\boxed{A. rubber}",
        "\\boxed{house white}",
        "\\boxed{A} no, \\boxed{B}",
        "There are 4 lights.",
        "<tool_response>",
    ],
)
def test_each_known_failure_of_other_graders_is_a_case(failure):
    told = [case for case in CASES if case["reason"].startswith("known failure")]
    assert any(failure in case.get("answer", case.get("message")) for case in told)
