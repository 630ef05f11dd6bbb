"""Second scores in an evaluation's folder: asked once each, failures again, others never mixed."""

from __future__ import annotations

import pytest
from tiny_tasks import PictureTask

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.opinions.collection import collect, read_opinions, shown_sample
from pixel_env.agents.opinions.opinion import Opinion, faulty
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.errors import DataError
from pixel_env.registration import make_bare

SMALL = {"overview_px": (784, 7840), "crop_px": (784, 7840)}


class Counter:
    """Calls every answer right, but fails on some samples."""

    def __init__(self, version=1, fails=(), stops_at=None):
        self.asked, self.version, self.fails, self.stops_at = [], version, fails, stops_at

    def source(self):
        return {"version": self.version}

    def score(self, items):
        for item in items:
            if item.index == self.stops_at:
                raise KeyboardInterrupt
            self.asked.append((item.index, item.answer))
            if item.index in self.fails:
                yield faulty(item, "no reply")
            else:
                yield Opinion(item.index, item.repeat, item.answer, 1.0, True)


@pytest.fixture
def evaluation(register):
    env_id = register("Scored", PictureTask, **SMALL)
    return evaluate(make_policy("direct"), EvaluationConfig(env_id))


def run(scorer, path, evaluation, results=None):
    collect(scorer, path, evaluation.manifest, results or evaluation.results)
    return read_opinions(path)


def test_every_answer_is_scored_once(evaluation, tmp_path):
    path = tmp_path / "opinions" / "mine.jsonl"
    first, second = Counter(), Counter()
    found = run(first, path, evaluation)
    assert [(each.index, each.correct) for each in found] == [(i, True) for i in range(5)]
    assert first.asked == [(i, "A") for i in range(5)]
    before = path.read_bytes()
    assert run(second, path, evaluation) == found
    assert second.asked == []
    assert path.read_bytes() == before


def test_failures_are_tried_again(evaluation, tmp_path):
    path = tmp_path / "mine.jsonl"
    assert [each.fault for each in run(Counter(fails=(1, 3)), path, evaluation)] == [
        "", "no reply", "", "no reply", "",
    ]  # fmt: skip
    again = Counter()
    assert all(each.correct for each in run(again, path, evaluation))
    assert [index for index, _ in again.asked] == [1, 3]


def test_a_stop_keeps_what_is_done(evaluation, tmp_path):
    path = tmp_path / "mine.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(Counter(stops_at=3), path, evaluation)
    path.write_text(path.read_text() + '{"index": 3, "rep')  # a line that was cut off
    again = Counter()
    assert len(run(again, path, evaluation)) == 5
    assert [index for index, _ in again.asked] == [3, 4]


def test_another_scorer_starts_anew(evaluation, tmp_path):
    path = tmp_path / "mine.jsonl"
    run(Counter(), path, evaluation)
    other = Counter(version=2)
    run(other, path, evaluation)
    assert len(other.asked) == 5


def test_another_answer_is_scored_again_and_others_are_forgotten(evaluation, tmp_path):
    from dataclasses import replace

    path = tmp_path / "mine.jsonl"
    run(Counter(), path, evaluation)
    results = [
        replace(each, answer="B") if each.index == 2 else each for each in evaluation.results
    ]
    results[4] = replace(results[4], answer=None)
    again = Counter()
    assert [each.answer for each in run(again, path, evaluation, results)] == ["A", "A", "B", "A"]
    assert again.asked == [(2, "B")]


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"source": {}}\n{"index": 1}\n')
    with pytest.raises(DataError, match=r"mine\.jsonl line 2: it has no 'repeat'"):
        read_opinions(path)


@pytest.mark.parametrize("order", ["seeded", "as_given"])
def test_a_sample_is_as_the_environment_shows_it(register, order):
    env = make_bare(register("Shown", PictureTask, option_order=order, **SMALL))
    shown = []
    for index in range(5):
        env.reset(options={"index": index})
        sample = shown_sample(env, index)
        assert (sample.choices, sample.right_choice) == (
            env.sample.choices,
            env.sample.right_choice,
        )
        shown.append(sample.right_choice)
    assert (set(shown) == {3}) == (order == "as_given")
