"""What a folder holds that a page can show: folders of episodes, and the metrics of trainings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files.json_records import parsed
from ..files.lines import whole_lines
from ..recordings.gold import read_gold
from ..recordings.trajectory import FILE_NAME
from .values import number

METRICS, RESULTS, MANIFEST = "metrics.jsonl", "results.jsonl", "manifest.json"

MOST_SOURCES = 200
"""Folders of episodes on one page at most."""

CURVES = (
    "accuracy/all",
    "rapr",
    "reward/curiosity",
    "operations/error_rate",
    "update/entropy",
    "update/clip_share",
    "loss",
    "learning_trap",
)
"""The metrics of a training that a page draws; the last one marks warnings."""

_ITERATION = re.compile(r"iteration-(\d+)")
_STAGES = {"base": 0, "warm_start": 1, "RL": 2}
_POINTS = 400
"""Points of a curve at most; a longer training is thinned out."""


@dataclass(frozen=True, slots=True)
class Source:
    """One folder of episodes.

    Attributes:
        name: its path from the folder of the page, "" for that itself.
        folder: where it is.
        facts: of its manifest: environment, policy, dialect, samples.
        gold: answers and evidence by the samples' indices.
        results: an evaluation's results by index and repeat.
    """

    name: str
    folder: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    gold: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    results: Mapping[tuple[int, int], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def iteration(self) -> int | None:
        """The iteration of a training whose rollouts these are; None where they are none."""
        found = _ITERATION.match(self.folder.name)
        return int(found[1]) if found else None


def find_sources(root: Path, faults: list[DataError]) -> list[Source]:
    """Lists the folders of episodes in a folder, at any depth; links are not followed.

    Args:
        root: the folder, resolved.
        faults: gets what can't be read of gold, results and manifests, which are left out then.

    Returns:
        Them in the order in which a reader compares them: base, warm start, RL, then by name.
    """
    folders = [Path(at) for at, _, files in os.walk(root) if FILE_NAME in files]
    folders = [each for each in folders if not (each / FILE_NAME).is_symlink()]
    folders.sort(key=lambda each: (_STAGES.get(each.name, len(_STAGES)), str(each)))
    return [_source(root, folder, faults) for folder in folders[:MOST_SOURCES]]


def read_curves(root: Path, faults: list[DataError]) -> list[dict[str, Any]]:
    """Reads the metrics of the trainings in a folder.

    Returns:
        For each its `name` (path from the root), `steps`, and `series`: numbers or None by name.
    """
    found = []
    for at, _, files in sorted(os.walk(root)):
        path = Path(at) / METRICS
        if METRICS not in files or path.is_symlink():
            continue
        try:
            rows = [row for row in _objects(path) if isinstance(row.get("step"), int)]
        except DataError as fault:
            faults.append(fault)
            continue
        rows = _thinned(rows)
        names = [name for name in CURVES if any(number(row.get(name)) is not None for row in rows)]
        found.append(
            {
                "name": Path(at).relative_to(root).as_posix(),
                "steps": [row["step"] for row in rows],
                "series": {name: [number(row.get(name)) for row in rows] for name in names},
            }
        )
    return found


def _thinned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leaves out steps of a long training, but none that warned."""
    every = -(-len(rows) // _POINTS) or 1
    return [row for i, row in enumerate(rows) if i % every == 0 or row.get("learning_trap")]


def _source(root: Path, folder: Path, faults: list[DataError]) -> Source:
    name = folder.relative_to(root).as_posix()
    source = Source("" if name == "." else name, folder)
    try:
        return Source(source.name, folder, _manifest(folder), read_gold(folder), _results(folder))
    except DataError as fault:
        faults.append(fault)
        return source


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    values = parsed(path.read_bytes(), str(path)) if path.is_file() else {}
    if not isinstance(values, dict):
        return {}
    wanted = ("env_id", "policy", "dialect", "samples", "repeats", "control", "privileged")
    return {name: values[name] for name in wanted if name in values}


def _results(folder: Path) -> dict[tuple[int, int], Mapping[str, Any]]:
    path = folder / RESULTS
    rows = _objects(path) if path.is_file() else []
    places = [(row.get("index"), row.get("repeat", 0)) for row in rows]
    return {
        (place[0], place[1]): row
        for place, row in zip(places, rows, strict=True)
        if isinstance(place[0], int) and isinstance(place[1], int)
    }


def _objects(path: Path) -> list[dict[str, Any]]:
    lines = enumerate(whole_lines(path), 1)
    rows = [parsed(line, f"{path} line {n}") for n, line in lines]
    return [row for row in rows if isinstance(row, dict)]
