"""A user's grader: what it may return, and what counts as a failure of it."""

from __future__ import annotations

import sys

import pytest
from tiny_tasks import PictureTask

from pixel_env.agents.opinions.grader import ImportedGrader
from pixel_env.agents.opinions.opinion import Item
from pixel_env.errors import ConfigError

SAMPLE = PictureTask()[2]
MODULE = """
from decimal import Decimal

import numpy as np
from pixel_env import Grade

RETURNS = {
    "grade": Grade(0.25, False, "2"), "true": True, "false": False, "half": 0.5, "low": 0.49,
    "one": 1, "numpy": np.float32(0.75), "numpy true": np.bool_(True),
    "none": None, "nan": float("nan"), "high": 1.5, "negative": -0.1, "text": "right",
    "high grade": Grade(2.0, True, None), "odd grade": Grade(1.0, "yes", None),
    "decimal": Decimal("0.5"),
}

def grade(sample, answer):
    if answer == "raise":
        raise KeyError(sample.id)
    return RETURNS[answer]

def of_sample(sample, answer):
    return answer == sample.answers[0] and sample.choices[sample.right_choice] == answer

def one(sample):
    return 1.0

number = 3
"""


@pytest.fixture
def graders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_graders.py").write_text(MODULE)
    yield "own_graders"
    sys.modules.pop("own_graders", None)


def opinion(graders, answer, name="grade"):
    (found,) = ImportedGrader(f"{graders}:{name}").score([Item(2, 1, SAMPLE, answer)])
    assert (found.index, found.repeat, found.answer) == (2, 1, answer)
    return found


@pytest.mark.parametrize(
    ("answer", "score", "correct"),
    [
        ("grade", 0.25, False),
        ("true", 1.0, True),
        ("false", 0.0, False),
        ("half", 0.5, True),
        ("low", 0.49, False),
        ("one", 1.0, True),
        ("numpy", 0.75, True),
        ("numpy true", 1.0, True),
    ],
)
def test_grades_booleans_and_numbers_are_scores(graders, answer, score, correct):
    found = opinion(graders, answer)
    assert (found.score, found.correct, found.fault) == (score, correct, "")
    assert found.note == ("2" if answer == "grade" else "")


@pytest.mark.parametrize(
    "answer",
    ["none", "nan", "high", "negative", "text", "high grade", "odd grade", "decimal"],
)
def test_anything_else_is_a_failure_and_no_score(graders, answer):
    found = opinion(graders, answer)
    assert (found.score, found.correct) == (None, None)
    assert "expected a Grade, a boolean or a number in [0, 1], got" in found.fault


def test_one_that_raises_has_no_score_and_the_next_answer_has(graders):
    grader = ImportedGrader(f"{graders}:grade")
    raised, fine = grader.score([Item(0, 0, SAMPLE, "raise"), Item(1, 0, SAMPLE, "true")])
    assert raised.score is None
    assert raised.fault.startswith("KeyError: 'picture-2' (")
    assert "own_graders.py, line" in raised.fault
    assert fine.correct


def test_it_gets_the_sample_as_it_was_shown(graders):
    assert opinion(graders, "secret-2", "of_sample").correct
    assert not opinion(graders, "secret-1", "of_sample").correct


def test_its_source_is_the_module_and_its_digest(graders):
    source = ImportedGrader(f"{graders}:grade").source()
    assert source["file"] == "own_graders.py"
    assert len(source["sha256"]) == 64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "a function of .sample, answer., got int"),
        ("one", "to take .sample, answer.: too many"),
        ("grad", "a grader in own_graders.*Did you mean 'grade'"),
    ],
)
def test_what_is_no_grader_is_named(graders, name, message):
    with pytest.raises(ConfigError, match=message):
        ImportedGrader(f"{graders}:{name}")
