"""What models really write: `real_forms.jsonl` holds what was seen, `forms.jsonl` its neighbours.

A row's `expect` holds one of: `zoom`, the region in fractions of the picture, with `clamped`;
`place`, the option that the answer means; `unread`, an answer that means none; `refused`, the kind
of a refusal; `not`, what it must not be.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from tiny_tasks import PictureTask

from pixel_env import OperationError, PixelReasoningEnv
from pixel_env.dialects import DIALECTS, Shown, get_dialect
from pixel_env.tasks.grading import declared_letter

SHOWN = Shown(sizes=((1000, 800),))
SMALL = {"overview_px": (784, 4 * 784), "crop_px": (784, 4 * 784)}


def rows_of(name):
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


REAL, OTHER = rows_of("real_forms.jsonl"), rows_of("forms.jsonl")


@pytest.fixture(scope="module")
def env():
    return PixelReasoningEnv(PictureTask(), min_crop_side_px=1, **SMALL)


def outcome_of(env, row):
    """Plays a message as the first one of an episode, and returns what it did."""
    env.reset(options={"index": 0})
    clamped = False
    try:
        reading = get_dialect(row["dialect"]).read(row["text"], SHOWN)
        action, clamped = reading.action, reading.clamped
    except OperationError as refusal:
        action = refusal
    info = env.step(action)[-1]
    if "operation_error" in info:
        kind = info["operation_error"]
        assert info["n_calls"] == info["n_operation_errors"] == (kind != "no_answer")
        return {"refused": kind}
    if "answer" in info:
        assert (info["n_calls"], info["n_operations"]) == (0, 0)
        place = declared_letter(info["answer"], row.get("options") or ())
        return {"answer": info["answer"], "place": place}
    assert (info["n_calls"], info["n_operations"]) == (1, 1)
    zoom = [round(number, 9) for number in info["requested_box"]]
    return {"zoom": zoom, "clamped": clamped or info["clamped"]}


def is_as_meant(outcome, expect):
    if "not" in expect:
        return expect["not"] not in outcome
    if "unread" in expect:
        return "answer" in outcome and outcome["place"] is None
    if "zoom" in expect:
        return outcome == {"clamped": False} | expect
    return outcome.items() >= expect.items()


@pytest.mark.parametrize("row", REAL, ids=[f"{row['dialect']}: {row['kind']}" for row in REAL])
def test_a_form_that_was_seen_is_read_as_meant(env, row):
    outcome = outcome_of(env, row)
    assert is_as_meant(outcome, row["expect"]), outcome


@pytest.mark.parametrize("name", DIALECTS)
def test_its_neighbours_are_read_as_meant(env, name):
    wrong = []
    for row in OTHER:
        if row["dialect"] == name:
            outcome = outcome_of(env, row)
            if not is_as_meant(outcome, row["expect"]):
                wrong.append((row["kind"], row["text"][:300], row["expect"], outcome))
    assert wrong == []


def test_the_forms_cover_every_dialect():
    assert len(REAL) == 36
    assert len(OTHER) >= 300
    counts = Counter(row["dialect"] for row in OTHER)
    assert set(counts) == set(DIALECTS)
    assert min(counts.values()) >= 90
    assert len({(row["dialect"], row["text"]) for row in OTHER}) == len(OTHER)
