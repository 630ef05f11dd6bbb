"""One cell of a benchmark: run, gone on with, or skipped where it is whole."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pixel_env.files.json_values import plain
from pixel_env.files.lock import only_writer
from pixel_env.files.whole_file import write_whole
from pixel_env.registration import make_bare

from ..evaluation.control_scores import ControlScores, compare
from ..evaluation.controls import applicable_controls, evaluate_controls
from ..evaluation.evaluate import evaluate
from ..evaluation.folder import MANIFEST, RESULTS
from ..evaluation.manifest import git_revision, package_versions, read_manifest
from ..evaluation.results import EpisodeResult, counted, read_results
from ..model.folders import folder_of
from ..opinions.agreement import SecondScores, compare_scores
from ..opinions.collection import collect, read_opinions
from ..opinions.grader import ImportedGrader
from ..opinions.judge import PREFIX as JUDGE_PREFIX
from ..opinions.judge import Judge
from ..opinions.opinion import Scorer
from ..policies.base import Policy
from ..policies.by_name import MODEL_PREFIX, SB3_PREFIX, is_imported, make_policy
from ..settings.import_path import import_object
from .config import Cell, Entry

STATE = "cell.json"
"""Written when a cell is whole: what it was made from."""

OnEpisode = Callable[[str, int, int, float], None]
"""Takes a cell's title, its finished episodes, how many there will be, and their mean accuracy."""


@dataclass(frozen=True, slots=True)
class CellResults:
    """What the folder of a cell holds.

    Attributes:
        manifest: of its evaluation.
        results: one for each finished episode, in the order of index and repeat.
        controls: its runs under controls, beside it.
        second: second scores of its answers, beside our own.
        n_missing: episodes that are still to run, because of a stop or a server that gave no
            message; those under controls included.
    """

    manifest: dict[str, Any]
    results: tuple[EpisodeResult, ...]
    controls: tuple[ControlScores, ...]
    second: tuple[SecondScores, ...]
    n_missing: int


def run_cell(cell: Cell, note: OnEpisode) -> None:
    """Runs what is missing of a cell.

    A cell that is whole, and whose settings, data, files of the policy, packages and revision are
    as they were, is skipped: no model is loaded and no server is asked. Another number of lanes
    changes no result, and so runs nothing again.

    Raises:
        PixelEnvError: it can't be run, or its folder holds an evaluation with other settings, or is
            in use by another process.
    """
    with only_writer(cell.folder):
        _run(cell, note)


def make_scorer(entry: Entry) -> Scorer:
    """Makes what scores answers a second time.

    Raises:
        ConfigError: it can't be made.
    """
    if entry.name.startswith(JUDGE_PREFIX):
        return Judge(entry.name, entry.arguments)
    return ImportedGrader(entry.name)


def read_cell(cell: Cell) -> CellResults:
    """Reads what a cell's folder holds.

    Raises:
        DataError: its files can't be read, or there are none.
    """
    manifest = read_manifest(cell.folder / MANIFEST)
    path = cell.folder / RESULTS
    results = tuple(read_results(path)) if path.exists() else ()
    controls = []
    for name in applicable_controls(results) if cell.controls else ():
        controlled = cell.folder / "controls" / name / RESULTS
        if controlled.exists():
            controls.append(compare(name, results, read_results(controlled)))
    second = tuple(
        compare_scores(entry.label, results, read_opinions(cell.opinions(entry)))
        for entry in cell.scorers
    )
    n_done = sum(not result.service_error for result in results)
    n_missing = manifest["samples"] * manifest["repeats"] - n_done
    n_missing += sum(each.scores.n_unanswered for each in controls)
    return CellResults(manifest, results, tuple(controls), second, n_missing)


def _run(cell: Cell, note: OnEpisode) -> None:
    state = _state(cell)
    path = cell.folder / STATE
    if not path.exists() or path.read_bytes() != state.encode():
        path.unlink(missing_ok=True)
        _evaluate(cell, note)
        if not read_cell(cell).n_missing:
            write_whole(path, state)
    for entry in cell.scorers:
        found = read_cell(cell)
        collect(make_scorer(entry), cell.opinions(entry), found.manifest, found.results)


def _evaluate(cell: Cell, note: OnEpisode) -> None:
    policy = _policy(cell)
    evaluation = evaluate(policy, cell.evaluation, _counter(cell.title, note))
    if cell.controls:
        on_result = _counter(f"{cell.title}, controls", note)
        evaluate_controls(policy, cell.evaluation, evaluation, on_result)


def _policy(cell: Cell) -> Policy:
    if cell.policy.name.startswith(MODEL_PREFIX) and find_spec("transformers"):
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
    return make_policy(cell.policy.name, **cell.policy.arguments)


def _counter(title: str, note: OnEpisode) -> Callable[[EpisodeResult, int], None]:
    done: list[EpisodeResult] = []

    def count(result: EpisodeResult, n_episodes: int) -> None:
        if len(done) >= n_episodes:  # the next control
            done.clear()
        done.append(result)
        known = counted(done)
        right = sum(each.correct for each in known)
        note(title, len(done), n_episodes, right / max(len(known), 1))

    return count


def _state(cell: Cell) -> str:
    """Writes everything that a whole cell depends on, cheap enough to look up each time."""
    how = cell.evaluation
    state = {
        "policy": cell.policy.name,
        "policy_settings": cell.policy.arguments,
        "policy_files": _files_of(cell),
        "env_id": how.env_id,
        "env_kwargs": how.env_kwargs,
        "data": make_bare(how.env_id, **how.env_kwargs).task.fingerprint(),
        "samples": how.samples,
        "repeats": how.repeats,
        "seed": how.seed,
        "controls": cell.controls,
        "machine": platform.machine(),
        "packages": package_versions(),
        "git_revision": git_revision(),
    }
    return json.dumps(plain(state, "state", other=str), indent=2) + "\n"


def _files_of(cell: Cell) -> str:
    """Returns a digest that changes when the policy's own files do; "" where it has none."""
    name = cell.policy.name
    if is_imported(name):
        return import_object(name, "a policy").sha256
    folders = [cell.policy.arguments.get("weights")]
    if name.startswith(MODEL_PREFIX):
        folders.append(folder_of(name.removeprefix(MODEL_PREFIX)))
    elif name.startswith(SB3_PREFIX):
        folders.append(name.removeprefix(SB3_PREFIX))
    listed = [line for folder in folders if folder for line in _listed(Path(folder))]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest() if listed else ""


def _listed(folder: Path) -> list[str]:
    """Lists a folder's files with their sizes and times: weights are too large to be read here."""
    files = sorted(path for path in folder.glob("*") if path.is_file())
    stats = ((path.name, path.stat()) for path in files)
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
