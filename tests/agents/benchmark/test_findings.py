"""A benchmark of plain policies on tiny tasks: its cells, comparisons, files and links."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from urllib.parse import unquote

import gymnasium as gym
import pytest
from made_results import result
from tiny_tasks import PictureTask
from viewer_pages import index_of

from pixel_env import Grade, register_task
from pixel_env.agents.benchmark import cell as cell_module
from pixel_env.agents.benchmark.config import BenchmarkConfig, Entry
from pixel_env.agents.benchmark.findings import flips_between, run_benchmark
from pixel_env.agents.benchmark.outputs import write_benchmark
from pixel_env.agents.benchmark.paired import MCNEMAR
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy

SMALL = {"overview_px": (784, 7840), "crop_px": (784, 7840)}
POLICIES = (Entry("direct", "direct"), Entry("chance", "random"), Entry("oracle", "demonstration"))


class ManyPictures(PictureTask):
    def __init__(self, n: int = 12) -> None:
        super().__init__(n, 80, 60)


class HalfPoints(ManyPictures):
    """Gives half a point to every wrong letter."""

    score_name = "points"

    def grade(self, sample, answer):
        grade = super().grade(sample, answer)
        return Grade(1.0 if grade.correct else 0.5, grade.correct, grade.parsed)


@pytest.fixture(scope="module")
def environments():
    ids = [register_task("Many", ManyPictures, **SMALL), register_task("Half", HalfPoints, **SMALL)]
    yield Entry("plain", ids[0]), Entry("half", ids[1])
    for env_id in ids:
        del gym.registry[env_id]


@pytest.fixture(scope="module")
def ran(environments, tmp_path_factory):
    """A benchmark of three policies on two environments, its folder, and what was counted."""
    out, news = tmp_path_factory.mktemp("benchmark"), []
    findings = run_benchmark(benchmark(environments, out, seed=4), lambda *each: news.append(each))
    assert write_benchmark(findings) == []
    return findings, out, news


def note(*_):
    pass


def benchmark(environments, out, **fields):
    given = {"policies": POLICIES, "environments": environments, "out": out, "lanes": 3}
    return BenchmarkConfig(**{**given, **fields})


def test_every_cell_is_the_evaluation_that_evaluate_gives(ran, environments):
    findings, _, news = ran
    assert findings.is_whole
    alone = evaluate(make_policy("random"), EvaluationConfig(environments[0].name, seed=4))
    cell = findings.cell("plain", "chance")
    assert cell.results == alone.results
    assert (cell.scores[0].accuracy, cell.scores[0].rapr) == (
        alone.overall.accuracy, alone.overall.rapr,
    )  # fmt: skip
    last = {title: (done, total) for title, done, total, _ in news}
    assert last["chance on half"] == (12, 12)
    assert len(last) == 6


def test_policies_are_compared_with_the_baseline_on_the_same_samples(ran, environments):
    out = ran[1]  # its cells are whole, so only the comparison is another
    findings = run_benchmark(benchmark(environments, out, seed=4, baseline="chance"), note)
    assert [(each.environment, each.policy) for each in findings.comparisons] == [
        ("plain", "direct"), ("plain", "oracle"), ("half", "direct"), ("half", "oracle"),
    ]  # fmt: skip
    oracle = findings.comparisons[1]
    ((name, found),) = oracle.measures
    wrong = [each for each in findings.cell("plain", "chance").results if not each.correct]
    assert (name, found.n, found.gained, found.lost) == ("accuracy", 12, len(wrong), 0)
    assert found.mean.mean == pytest.approx(len(wrong) / 12)
    assert (found.p, found.test) == (pytest.approx(2 / 2 ** len(wrong)), MCNEMAR)
    assert found.p_holm >= found.p
    assert [flip.index for flip in oracle.flips] == [each.index for each in wrong]
    assert all(flip.is_gain for flip in oracle.flips)
    # where the task has a score of its own that is compared too
    (_, accuracy), (points, score) = findings.comparisons[3].measures
    assert points == "points"
    assert score.mean.mean == pytest.approx(accuracy.mean.mean / 2)


def test_flips_are_what_one_has_right_and_the_other_wrong():
    before = [result(0, correct=True), result(1), result(2, fault="x"), result(3), result(4)]
    after = [result(1, correct=True), result(0), result(2, correct=True), result(3)]
    found = flips_between(before, after)
    assert [(flip.index, flip.is_gain) for flip in found] == [(0, False), (1, True)]


def test_a_failed_cell_is_reported_and_the_others_go_on(environments, tmp_path):
    broken = Entry("broken", "random", {"look": 2})
    config = benchmark(environments[:1], tmp_path, policies=(*POLICIES[:2], broken))
    findings = run_benchmark(config, note)
    assert not findings.is_whole
    assert "expected look in [0, 1], got 2" in findings.cell("plain", "broken").failure
    assert findings.comparisons[0].measures
    assert findings.comparisons[1].reason == "broken failed"
    write_benchmark(findings)
    report = (tmp_path / "benchmark.md").read_text()
    assert "broken on plain: expected look in" in report
    assert "not compared, broken failed" in report
    assert "Traceback" in (findings.cell("plain", "broken").cell.folder / "failure.txt").read_text()


def test_a_failed_cell_that_runs_later_forgets_its_failure(environments, tmp_path):
    config = benchmark(environments[:1], tmp_path, policies=POLICIES[:1])
    folder = tmp_path / "cells" / "plain" / "direct"
    folder.mkdir(parents=True)
    (folder / "failure.txt").write_text("Traceback")
    assert run_benchmark(config, note).is_whole
    assert not (folder / "failure.txt").exists()


def test_samples_that_are_others_are_not_compared(environments, tmp_path):
    config = benchmark(environments[:1], tmp_path, policies=POLICIES[:2])
    run_benchmark(config, note)
    path = tmp_path / "cells" / "plain" / "chance" / "results.jsonl"
    path.write_text(path.read_text().replace('"picture-2"', '"another"'))
    findings = run_benchmark(config, note)
    assert findings.comparisons[0].reason == "they ran on other samples"
    assert not findings.comparisons[0].measures


def test_a_whole_cell_makes_no_policy_again(ran, environments, monkeypatch):
    before, out, _ = ran
    made = []
    monkeypatch.setattr(cell_module, "make_policy", lambda name, **_: made.append(name))
    after = run_benchmark(benchmark(environments, out, seed=4, lanes=1), note)
    assert made == []
    assert after.comparisons == before.comparisons


def test_only_new_cells_run_and_more_samples_extend(environments, tmp_path, monkeypatch):
    run_benchmark(benchmark(environments[:1], tmp_path, policies=POLICIES[:1], samples=4), note)
    made = []

    def make(name, **settings):
        made.append(name)
        return make_policy(name, **settings)

    monkeypatch.setattr(cell_module, "make_policy", make)
    run_benchmark(benchmark(environments[:1], tmp_path, policies=POLICIES[:2], samples=4), note)
    assert made == ["random"]
    findings = run_benchmark(
        benchmark(environments[:1], tmp_path, policies=POLICIES[:2], samples=9), note
    )
    assert made == ["random", "direct", "random"]
    assert [len(each.results) for each in findings.cells] == [9, 9]


def test_a_stopped_cell_goes_on(environments, tmp_path):
    config = benchmark(environments[:1], tmp_path, policies=POLICIES[1:2], lanes=1)

    def stop(title, done, total, mean):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_benchmark(config, stop)
    folder = tmp_path / "cells" / "plain" / "chance"
    assert len((folder / "results.jsonl").read_text().splitlines()) == 5
    assert not (folder / "cell.json").exists()
    counted = []
    findings = run_benchmark(config, lambda *news: counted.append(news[1]))
    alone = evaluate(make_policy("random"), EvaluationConfig(environments[0].name))
    assert findings.cells[0].results == alone.results
    assert counted[:5] == [1, 2, 3, 4, 5]


def test_controls_stand_in_the_report(environments, tmp_path):
    config = benchmark(environments[:1], tmp_path, policies=POLICIES[2:], controls=True)
    findings = run_benchmark(config, note)
    found = findings.cells[0].found
    assert {each.name for each in found.controls} >= {"no-operations", "blank-views"}
    write_benchmark(findings)
    assert "Controls: oracle on plain" in (tmp_path / "benchmark.md").read_text()
    written = json.loads((tmp_path / "benchmark.json").read_text())
    assert written["cells"][0]["controls"][0]["n_pairs"] == 12


def test_flipped_items_lead_to_their_episodes(ran):
    findings, out, _ = ran
    page = (out / "index.html").read_text()
    links = set(re.findall(r'href="([^"#]+)#([^"]+)"', page))
    n_flips = sum(len(each.flips) for each in findings.comparisons)
    assert n_flips > 6
    assert len(links) >= n_flips
    index = index_of(out / "view.html")
    cells = [each["name"] for each in index["sources"]]
    names = {
        f"episode-{row['index']}-{row['repeat']}@{cells[row['source']]}"
        for row in index["episodes"]
    } | {f"/folder/{name}" for name in cells}
    for target, name in links:
        assert target == "view.html"
        assert unquote(name) in names
    markdown = (out / "benchmark.md").read_text()
    assert all(f"({target}#{name})" in markdown for target, name in links)


def test_the_table_for_programs_has_a_line_for_each_cell(ran):
    findings, out, _ = ran
    rows = list(csv.DictReader((out / "benchmark.csv").open()))
    assert len(rows) == 6
    oracle = rows[2]
    assert (oracle["environment"], oracle["policy"], oracle["accuracy"]) == (
        "plain",
        "oracle",
        "1.0",
    )
    comparison = findings.comparisons[1].measures[0][1]
    assert float(oracle["accuracy_difference"]) == comparison.mean.mean
    assert float(oracle["accuracy_difference_p_holm"]) == comparison.p_holm
    assert rows[0]["accuracy_difference"] == ""
    assert float(rows[5]["score_difference"]) == pytest.approx(
        findings.comparisons[3].measures[1][1].mean.mean
    )
    assert float(oracle["target_seen"]) == 1.0


def test_labels_can_hold_anything(environments, tmp_path):
    hostile = Entry('<b>"x"|', "direct")
    findings = run_benchmark(
        benchmark(environments[:1], tmp_path, policies=(hostile, POLICIES[2])), note
    )
    write_benchmark(findings)
    assert "<b>" not in (tmp_path / "index.html").read_text()
    assert Path(tmp_path / "cells" / "plain" / "b-x" / "gold.jsonl").exists()
    assert "<b>" not in (tmp_path / "view.html").read_text()


GRADER = """
def grade(sample, answer):
    if sample.id == "picture-3":
        raise ValueError("not this one")
    return answer in ("A", "B")
"""


def test_a_grader_of_ones_own_stands_beside_our_score(environments, tmp_path, monkeypatch):
    (tmp_path / "own_scores.py").write_text(GRADER)
    monkeypatch.chdir(tmp_path)
    scorer = Entry("mine", "own_scores:grade")
    config = benchmark(environments[:1], tmp_path, policies=POLICIES[::2], scorers=(scorer,))
    findings = run_benchmark(config, note)
    plain = run_benchmark(benchmark(environments[:1], tmp_path, policies=POLICIES[::2]), note)
    assert findings.comparisons == plain.comparisons  # our own score is what it was
    assert findings.is_whole
    oracle = findings.cell("plain", "oracle")
    (second,) = oracle.found.second
    right = sum(each.answer in ("A", "B") for each in oracle.results if each.index != 3)
    assert (second.n, second.theirs.mean) == (11, pytest.approx(right / 11))
    assert second.faults[0][0] == "picture-3"
    assert "ValueError: not this one" in second.faults[0][1]
    write_benchmark(findings)
    report, page = ((tmp_path / name).read_text() for name in ("benchmark.md", "index.html"))
    assert "oracle on plain, mine, picture-3: ValueError: not this one" in report
    for item in second.differing:
        name = f"view.html#episode-{item.index}-0@cells/plain/oracle"
        assert name in report
        assert name in page
    row = list(csv.DictReader((tmp_path / "benchmark.csv").open()))[1]
    assert float(row["mine_right"]) == pytest.approx(right / 11)
    assert row["mine_failed"] == "1"
