"""Evaluation: every sample once, faults of the data left out, everything written down."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from PIL import Image
from tiny_tasks import PictureTask
from vstar_folder import write_vstar

import pixel_env
from pixel_env import Grade
from pixel_env.agents.evaluation.episodes import episode_seed
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.errors import ConfigError
from pixel_env.recordings.gold import read_gold

SMALL = {"overview_px": [784, 7840], "crop_px": [784, 7840]}


@pytest.fixture
def folder(tmp_path):
    return write_vstar(tmp_path / "vstar", n_attributes=8, n_positions=5)


def config(folder, **fields):
    kwargs = {"data_dir": str(folder), **SMALL, **fields.pop("env_kwargs", {})}
    return EvaluationConfig("PixelReason-VStar-v0", kwargs, **fields)


class Scripted:
    """Says the same messages in every episode."""

    name = "scripted"
    dialect = "pixel-reasoner"

    def __init__(self, *messages):
        self.messages = messages
        self.asked = []
        self.seeds = {}

    def reset(self, lane, seed=None):
        self.seeds[lane] = seed

    def act(self, observations, lanes):
        assert len(set(lanes)) == len(lanes) == len(observations) > 0
        self.asked.append(tuple(lanes))
        return [self.messages[observation["turn"]] for observation in observations]


class Structured(Scripted):
    """Gives one action an episode, in turn."""

    dialect = None

    def act(self, observations, lanes):
        given, self.messages = self.messages[: len(lanes)], self.messages[len(lanes) :]
        return list(given)


@pytest.mark.parametrize("lanes", [1, 3, 50])
def test_every_sample_is_run_exactly_once_in_index_order(folder, lanes):
    seen = Counter()
    evaluation = evaluate(
        make_policy("random"), config(folder, lanes=lanes), lambda r, n: seen.update([(r.index, n)])
    )
    assert [result.index for result in evaluation.results] == list(range(13))
    assert seen == {(index, 13): 1 for index in range(13)}


def test_result_does_not_depend_on_lanes_but_on_the_seed(folder):
    one, many, other = (
        evaluate(make_policy("random"), config(folder, lanes=lanes, seed=seed)).results
        for lanes, seed in ((1, 0), (5, 0), (1, 1))
    )
    assert one == many != other


def test_demonstration_is_right_everywhere_and_looks_once(folder):
    evaluation = evaluate(make_policy("demonstration"), config(folder, lanes=4))
    scores = evaluation.overall
    assert (scores.accuracy.mean, scores.rapr.mean, scores.operations.mean) == (1, 1, 1)
    assert scores.error_rate == 0
    assert [(s.group, s.n) for s in evaluation.table] == [
        ("all", 13),
        ("direct_attributes", 8),
        ("relative_position", 5),
    ]


def test_direct_is_at_chance_over_shuffled_options(tmp_path):
    folder = write_vstar(tmp_path / "many", n_attributes=120, n_positions=0)
    accuracy = evaluate(make_policy("direct"), config(folder, lanes=8)).overall.accuracy
    assert accuracy.low < 0.25 < accuracy.high
    assert accuracy.high < 0.5


def test_samples_limits_to_the_first(folder):
    evaluation = evaluate(make_policy("direct"), config(folder, samples=3))
    assert [result.sample_id for result in evaluation.results] == [
        "direct_attributes/0",
        "direct_attributes/1",
        "direct_attributes/2",
    ]
    assert len(evaluate(make_policy("direct"), config(folder, samples=99)).results) == 13


def test_faults_of_the_data_are_left_out_and_counted_and_the_run_goes_on(folder, tmp_path):
    (folder / "direct_attributes" / "sa_4690.jpg").unlink()
    broken = folder / "direct_attributes" / "sa_4693.jpg"
    broken.write_bytes(broken.read_bytes()[:-300])
    evaluation = evaluate(
        make_policy("demonstration"), config(folder, lanes=3, out=tmp_path / "out")
    )
    faults = {r.index: r.env_error for r in evaluation.results if r.env_error}
    assert set(faults) == {0, 3}
    assert "test_questions.jsonl row 1: there is no file" in faults[0]
    assert "sa_4693.jpg" in faults[3]
    assert "row 4" in faults[3]
    scores = evaluation.overall
    assert (scores.n, scores.n_env_errors, scores.n_truncated) == (11, 2, 0)
    assert scores.accuracy.mean == 1
    text = (tmp_path / "out" / "report.md").read_text()
    assert "## Left out, because the data could not be read" in text
    assert f"- #0: {faults[0]}" in text
    lines = (tmp_path / "out" / "trajectories.jsonl").read_text().splitlines()
    assert len(lines) == 13


def test_policy_is_not_asked_where_no_sample_can_be_read(folder):
    for path in folder.glob("*/*.jpg"):
        path.unlink()
    policy = Scripted()
    assert evaluate(policy, config(folder, lanes=4)).overall.n_env_errors == 13
    assert policy.asked == []


def test_messages_are_read_by_the_policys_dialect(folder):
    call = '{"name": "crop_image_normalized", "arguments": {"bbox_2d": %s, "target_image": 1}}'
    good, bad = (f"<tool_call>{call % box}</tool_call>" for box in ("[0, 0, 0.5, 0.5]", "[1, 1]"))
    policy = Scripted(good, bad, "no call, no answer", "\\boxed{A}")
    results = evaluate(policy, config(folder, lanes=4)).results
    for result in results:
        assert (result.n_calls, result.n_operations, result.n_operation_errors) == (2, 1, 1)
        assert (result.answer, result.n_turns, result.truncated) == ("A", 4, False)
    assert len({seed for seed in policy.seeds.values() if seed is not None}) == 4


def test_episode_without_answer_is_truncated_and_wrong(folder):
    policy = Scripted(*["I can't tell"] * 2)
    scores = evaluate(policy, config(folder, env_kwargs={"max_turns": 2}, lanes=2)).overall
    assert (scores.n, scores.n_truncated, scores.accuracy.mean) == (13, 13, 0)


def test_everything_is_written(folder, tmp_path):
    out = tmp_path / "out"
    evaluation = evaluate(make_policy("demonstration"), config(folder, lanes=4, out=out, seed=3))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest == evaluation.manifest
    assert manifest["env_id"] == "PixelReason-VStar-v0"
    assert manifest["env_config"]["overview_px"] == [784, 7840]
    assert manifest["data"].startswith("vstar:test:all:13:")
    assert (manifest["policy"], manifest["policy_settings"]) == ("demonstration", {"margin": 0.5})
    assert (manifest["seed"], manifest["lanes"], manifest["samples"]) == (3, 4, 13)
    assert manifest["packages"]["numpy"] == np.__version__
    trajectories = [json.loads(line) for line in (out / "trajectories.jsonl").open()]
    assert [t["options"]["index"] for t in trajectories] == list(range(13))
    for trajectory in trajectories:
        for name in (*trajectory["first"]["images"], *trajectory["turns"][0]["images"]):
            Image.open(out / name).verify()
    results = [json.loads(line) for line in (out / "results.jsonl").open()]
    assert [result["score"] for result in results] == [1.0] * 13
    text = (out / "report.md").read_text()
    assert "| all | 13 | 100.0% | 77.2 to 100.0 |" in text
    assert "it is an oracle" in text


def test_files_are_the_same_for_the_same_seed(folder, tmp_path):
    for name in ("a", "b"):
        evaluate(make_policy("random"), config(folder, lanes=4, out=tmp_path / name))
    for name in ("trajectories.jsonl", "results.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_endless_task_wants_a_number():
    synthetic = EvaluationConfig("PixelReason-SyntheticSearch-v0", {"split": "test"})
    with pytest.raises(ConfigError, match=r"has 1,000,000 samples; say how many"):
        evaluate(make_policy("direct"), synthetic)


def test_demonstration_solves_the_synthetic_twin():
    synthetic = EvaluationConfig(
        "PixelReason-SyntheticSearch-v0", {"split": "test"}, samples=12, lanes=4
    )
    assert evaluate(make_policy("demonstration"), synthetic).overall.accuracy.mean == 1


@pytest.mark.parametrize("fields", [{"samples": 0}, {"lanes": 0}, {"seed": -1}, {"repeats": 0}])
def test_bad_configuration_is_refused(folder, fields):
    with pytest.raises(ConfigError, match=f"expected {next(iter(fields))} >= "):
        config(folder, **fields)


def test_unknown_control_is_refused(folder):
    with pytest.raises(ConfigError, match="Did you mean 'random-crop'"):
        config(folder, control=("random-crops",))


@pytest.mark.parametrize("lanes", [1, 4])
def test_repeats_have_seeds_of_their_own(folder, lanes):
    evaluation = evaluate(
        make_policy("random"), config(folder, samples=6, repeats=3, lanes=lanes, seed=2)
    )
    assert [result.place for result in evaluation.results] == list(product(range(6), range(3)))
    one, two, three = (
        [result.answer for result in evaluation.results if result.repeat == repeat]
        for repeat in range(3)
    )
    assert one != two != three != one
    once = evaluate(make_policy("random"), config(folder, samples=6, seed=2)).results
    assert [result.answer for result in once] == one
    assert (evaluation.overall.n, evaluation.overall.repeats) == (18, 3)


def test_episode_seeds_are_distinct():
    places = list(product(range(5), range(50), range(5)))
    assert len({episode_seed(*place) for place in places}) == len(places)


def test_looks_are_compared_with_the_evidence(folder):
    zoomed = evaluate(make_policy("demonstration"), config(folder)).results
    assert all(result.coverage == 1 and result.magnification > 1 for result in zoomed)
    # one box of 20 x 12 pixels; half of that on every side makes 40 x 24
    assert zoomed[0].iou == pytest.approx(0.25)
    direct = evaluate(make_policy("direct"), config(folder)).results
    assert all((r.coverage, r.iou, r.magnification) == (0, 0, 0) for r in direct)


def test_places_of_options_are_noted(folder):
    results = evaluate(make_policy("direct"), config(folder)).results
    assert [result.n_choices for result in results] == [4] * 8 + [2] * 5
    assert {result.chosen for result in results} == {0}
    assert all(result.correct == (result.right_choice == 0) for result in results)
    assert len({result.right_choice for result in results}) > 1


def test_what_a_control_hides_was_not_looked_at(folder):
    blank = evaluate(make_policy("demonstration"), config(folder, control=("blank-views",)))
    assert {(r.coverage, r.n_operations, r.n_replaced) for r in blank.results} == {(0.0, 1, 1)}
    refused = evaluate(make_policy("demonstration"), config(folder, control=("no-operations",)))
    assert {(r.coverage, r.n_operation_errors) for r in refused.results} == {(0.0, 1)}
    shown = evaluate(make_policy("random", look=1), config(folder, control=("demonstration-crop",)))
    assert {r.coverage for r in shown.results} == {1.0}
    assert shown.manifest["control"] == ["demonstration-crop"]


class Cycles(PictureTask):
    """Two questions, each asked with its options in two orders."""

    name = "cycles"

    def __getitem__(self, index):
        sample = super().__getitem__(index // 2)
        choices = sample.choices if index % 2 == 0 else sample.choices[::-1]
        right = 3 if index % 2 == 0 else 0
        return replace(
            sample, id=f"c{index}", choices=choices, right_choice=right, cycle=str(index % 2)
        )


class Counting(PictureTask):
    """Counts whose answers may be off by some."""

    name = "counting"
    score_name = "closeness"

    def __getitem__(self, index):
        return replace(super().__getitem__(index), choices=(), right_choice=None, answers=("3",))

    def grade(self, sample, answer):
        if not answer.isdecimal():
            return Grade(0.0, False, None)
        error = float(answer) - 3
        return Grade(max(0.0, 1 - abs(error) / 4), error == 0, answer, error)


def test_cycles_of_a_question_are_known_as_such(register):
    settings = {"n": 4, "option_order": "as_given"}
    evaluation = evaluate(
        make_policy("direct"), EvaluationConfig(register("Cycles", Cycles), settings)
    )
    a, b, c, d = evaluation.results
    assert (a.cycle, b.cycle) == ("0", "1")
    assert a.question == b.question != c.question == d.question
    assert evaluation.overall.n_cycles == 2
    assert evaluation.overall.accuracy.mean == 0.5


def test_score_and_errors_of_numbers_are_reported(register, tmp_path):
    env_id = register("Counting", Counting)
    policy = Structured(*[pixel_env.answer(text) for text in ("3", "5", "many", "2", "3")])
    evaluation = evaluate(policy, EvaluationConfig(env_id, out=tmp_path / "out"))
    assert [result.error for result in evaluation.results] == [0, 2, None, -1, 0]
    assert evaluation.overall.rmse.mean == pytest.approx((5 / 4) ** 0.5)
    assert evaluation.overall.score.mean == pytest.approx((1 + 0.5 + 0 + 0.75 + 1) / 5)
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| closeness | 95% interval | RMSE | no number |" in text
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["scores"][0]["n_unread"] == 1
    assert summary["scores"][0]["rmse"]["mean"] == pytest.approx((5 / 4) ** 0.5)
    assert summary["option_places"] is None


def test_report_tells_a_stranger_what_was_seen_and_chosen(folder, tmp_path):
    out = tmp_path / "out"
    evaluate(make_policy("demonstration"), config(folder, out=out))
    text = (out / "report.md").read_text()
    assert "| all | 13 | 13 | 0 | 0 | 0 | 100.0% | 77.2 to 100.0 | - | - |" in text
    assert "## Places of the options" in text
    summary = json.loads((out / "summary.json").read_text())
    assert summary["coverage"][0]["right_seen"] == 13
    assert summary["coverage"][0]["accuracy_unseen"]["mean"] is None
    assert summary["scores"][0]["accuracy"]["mean"] == 1.0
    assert sum(place["n_right"] for place in summary["option_places"]["places"]) == 13


def test_gold_and_evidence_lie_beside_the_trajectories_and_not_in_them(register, tmp_path):
    env_id = register("GoldPictures", PictureTask)
    for lanes, name in ((1, "a"), (3, "b")):
        settings = {"samples": 4, "repeats": 2, "lanes": lanes, "out": tmp_path / name}
        evaluate(make_policy("direct"), EvaluationConfig(env_id, **settings))
    written = (tmp_path / "a" / "gold.jsonl").read_bytes()
    assert written == (tmp_path / "b" / "gold.jsonl").read_bytes()
    gold = read_gold(tmp_path / "a")
    assert [gold[i]["answers"] for i in range(4)] == [[f"secret-{i}"] for i in range(4)]
    assert gold[0]["evidence"] == [{"box": [0.7, 0.7, 0.8, 0.8], "image": 1}]
    trajectories = (tmp_path / "a" / "trajectories.jsonl").read_text()
    assert "evidence" not in trajectories
    assert "right_choice" not in trajectories
