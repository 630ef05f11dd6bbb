"""An evaluation that was stopped goes on, and ends as if it had not been."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_tasks import PictureTask

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.errors import ConfigError, DataError

SMALL = {"overview_px": [784, 7840], "crop_px": [784, 7840], "width": 200, "height": 160}
FILES = ("results.jsonl", "trajectories.jsonl", "report.md", "summary.json", "manifest.json")


class Stop(Exception):
    """Stands for a killed process."""


@pytest.fixture
def run(register):
    env_id = register("Pictures", PictureTask)

    def run_in(out: Path, stop_after: int | None = None, policy=None, **fields):
        seen = []

        def note(result, n_episodes):
            seen.append(result.place)
            if len(seen) == stop_after:
                raise Stop

        settings = {"repeats": 2, "lanes": 3, "env_kwargs": {"n": 7, **SMALL}} | fields
        made = policy or make_policy("random")
        evaluation = evaluate(made, EvaluationConfig(env_id, out=out, **settings), note)
        return evaluation, seen

    return run_in


@pytest.fixture
def whole(run, tmp_path):
    run(tmp_path / "whole")
    return tmp_path / "whole"


def assert_same(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("stop_after", [1, 6, 14])
def test_a_stopped_evaluation_goes_on_and_leaves_the_same_files(run, whole, tmp_path, stop_after):
    out = tmp_path / "stopped"
    with pytest.raises(Stop):
        run(out, stop_after)
    kept = read_results(out / "results.jsonl")
    assert len(kept) == stop_after
    assert not (out / "report.md").exists()
    evaluation, seen = run(out)
    assert seen[:stop_after] == [result.place for result in kept]
    assert len(seen) == len(set(seen)) == len(evaluation.results) == 14
    assert_same(out, whole)


def test_a_second_stop_is_no_worse(run, whole, tmp_path):
    for stop_after in (3, 8):
        with pytest.raises(Stop):
            run(tmp_path / "out", stop_after)
    run(tmp_path / "out")
    assert_same(tmp_path / "out", whole)


def test_half_lines_of_a_killed_process_are_run_again(run, whole, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Stop):
        run(out, 6)
    for name in ("results.jsonl", "trajectories.jsonl"):
        path = out / name
        path.write_bytes(path.read_bytes()[:-40])
    run(out)
    assert_same(out, whole)


def test_trajectories_without_a_result_are_dropped(run, whole, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Stop):
        run(out, 1)
    assert len((out / "trajectories.jsonl").read_text().splitlines()) >= 1
    (out / "results.jsonl").unlink()
    run(out)
    assert_same(out, whole)


def test_a_finished_evaluation_is_read_not_run_again(run, whole):
    class Unasked:
        name, dialect = "random", None

        def settings(self):
            return {"look": 0.5}

        def act(self, observations, lanes):
            raise AssertionError

    before = {name: (whole / name).stat().st_mtime_ns for name in FILES}
    evaluation, seen = run(whole, policy=Unasked())
    assert len(seen) == len(evaluation.results) == 14
    assert evaluation.overall.n == 14
    rewritten = {n for n in ("report.md", "summary.json", "manifest.json")} & {
        name for name in FILES if (whole / name).stat().st_mtime_ns != before[name]
    }
    assert not rewritten


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"seed": 5}, "seed was 0, is 5"),
        ({"repeats": 1}, "repeats was 2, is 1"),
        ({"samples": 2}, "samples was 7, is 2"),
        ({"control": ("blank-views",)}, r"control was \[\], is \['blank-views'\]"),
        ({"env_kwargs": {"n": 7, **SMALL, "max_turns": 3}}, "max_turns was 5, is 3"),
        ({"policy": make_policy("direct")}, "policy was 'random', is 'direct'"),
        ({"policy": make_policy("random", look=0.1)}, "policy_settings.look was 0.5, is 0.1"),
    ],
)
def test_other_settings_are_refused_by_name(run, whole, fields, named):
    with pytest.raises(ConfigError, match=named):
        run(whole, **fields)


def test_other_data_and_other_versions_are_refused(run, whole):
    path = whole / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest |= {"data": "pictures:8", "git_revision": "0" * 40}
    manifest["packages"]["numpy"] = "1.0"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match=r"data was 'pictures:8'.*") as refusal:
        run(whole)
    assert "packages.numpy was '1.0'" in str(refusal.value)
    assert "git_revision was '000" in str(refusal.value)


def test_results_of_unknown_settings_are_not_continued(run, whole):
    (whole / "manifest.json").unlink()
    with pytest.raises(ConfigError, match="holds results without a manifest"):
        run(whole)


def test_results_that_are_none_name_their_line(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"index": 1}\n')
    with pytest.raises(DataError, match=r"results.jsonl line 1: it has no 'sample_id'"):
        read_results(path)
    with pytest.raises(DataError, match="can't be read"):
        read_results(tmp_path / "none.jsonl")


@pytest.mark.parametrize("less", [{"samples": 4}, {"repeats": 1}, {"samples": 2, "repeats": 1}])
def test_an_evaluation_is_extended_and_ends_as_if_it_had_been_whole(run, whole, tmp_path, less):
    out = tmp_path / "extended"
    first, _ = run(out, **less)
    evaluation, seen = run(out)
    assert_same(whole, out)
    assert len(evaluation.results) == 14
    assert seen[: len(first.results)] == [each.place for each in first.results]
    with pytest.raises(ConfigError, match="other settings: "):
        run(out, **less)


def test_an_extended_evaluation_that_stops_goes_on(run, whole, tmp_path):
    out = tmp_path / "extended"
    run(out, samples=3)
    with pytest.raises(Stop):
        run(out, stop_after=9)
    run(out)
    assert_same(whole, out)
