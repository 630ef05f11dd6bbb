"""The folder of one evaluation: results as they come, and what is needed to go on after a stop.

A killed process loses the episodes it was in. The folder holds the manifest from the start, so
that an evaluation with other settings can't go on in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from pixel_env.errors import ConfigError, DataError
from pixel_env.files.json_records import parsed
from pixel_env.files.lines import append_line, cut_unfinished_line, whole_lines
from pixel_env.files.whole_file import write_whole
from pixel_env.recordings.gold import GoldFile
from pixel_env.recordings.trajectory import FILE_NAME, TrajectoryFolder

from ..settings.comparison import differences
from .manifest import read_manifest
from .results import EpisodeResult, read_results

MANIFEST, RESULTS, REPORT, SUMMARY = "manifest.json", "results.jsonl", "report.md", "summary.json"
Place = tuple[int, int]
"""Which episode: the sample's index and the repeat, both from 0."""

GROWS = ("samples", "repeats")
"""Entries of a manifest that may be larger when an evaluation goes on: it is extended."""
NOTED = ("server_fingerprints",)
"""Entries of a manifest that are known only at the end; they decide no result."""
FREE = (*NOTED, "lanes")
"""Entries that may be others when an evaluation goes on: fewer lanes for a busy server."""
MOST_NAMED = 3
"""How many differing settings an error names."""


class EvaluationFolder:
    """One evaluation on disk.

    Attributes:
        path: the folder.
        results: the finished episodes, in the order in which they ended.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any]) -> None:
        """Begins a folder, or goes on in one of the same settings, or of fewer samples.

        Raises:
            ConfigError: it holds an evaluation with other settings (they are named), or results
                without a manifest.
            DataError: its files can't be read.
        """
        self.path = path
        self.results: list[EpisodeResult] = []
        if (path / MANIFEST).exists():
            self._check(manifest)
            self.results = self._keep_whole()
            saved = read_manifest(path / MANIFEST)
            if differences(saved, manifest, FREE):  # it grew
                (path / REPORT).unlink(missing_ok=True)  # of fewer samples
                self._write_manifest(manifest)
            return
        if (path / RESULTS).exists():
            raise ConfigError(f"{path} holds results without a manifest; choose another folder")
        path.mkdir(parents=True, exist_ok=True)
        self._write_manifest(manifest)

    @property
    def is_reported(self) -> bool:
        """Whether a report was written, which comes last."""
        return (self.path / REPORT).exists()

    def add(self, result: EpisodeResult) -> None:
        """Notes a finished episode; its trajectory is written already."""
        append_line(self.path / RESULTS, result.line())
        self.results.append(result)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Brings results and trajectories into the samples' order, and completes the manifest."""
        if any(name in manifest for name in NOTED):
            self._write_manifest(manifest)
        self.results.sort(key=lambda result: result.place)
        write_whole(self.path / RESULTS, _text(result.line() for result in self.results))
        self._write_trajectories(line for _, line in sorted(self._trajectories()))
        GoldFile(TrajectoryFolder(self.path)).finish()

    def report(self, text: str, summary: Mapping[str, Any]) -> None:
        """Writes the report, and its numbers for machines."""
        written = json.dumps(summary, indent=2, allow_nan=False)
        write_whole(self.path / SUMMARY, written + "\n")
        write_whole(self.path / REPORT, text)

    def _write_manifest(self, manifest: Mapping[str, Any]) -> None:
        written = json.dumps(manifest, indent=2, sort_keys=True)
        write_whole(self.path / MANIFEST, written + "\n")

    def _check(self, manifest: Mapping[str, Any]) -> None:
        found = [
            each
            for each in differences(read_manifest(self.path / MANIFEST), manifest, FREE)
            if not (each.name in GROWS and type(each.saved) is int and each.given > each.saved)
        ]
        if found:
            named = "; ".join(str(each) for each in found[:MOST_NAMED])
            more = f" (and {len(found) - MOST_NAMED} more)" if len(found) > MOST_NAMED else ""
            raise ConfigError(
                f"{self.path} already holds an evaluation with other settings: {named}{more}; "
                "give the same ones to go on with it, or choose another folder"
            )

    def _keep_whole(self) -> list[EpisodeResult]:
        """Keeps the episodes that have both a result and a trajectory, and drops the rest."""
        path = self.path / RESULTS
        if not path.exists():
            self._write_trajectories(())
            return []
        cut_unfinished_line(path)
        found = {result.place: result for result in read_results(path)}
        recorded: dict[tuple[int, int], str] = {}
        if (self.path / FILE_NAME).exists():
            cut_unfinished_line(self.path / FILE_NAME)
            recorded = dict(self._trajectories())
        whole = [result for place, result in found.items() if place in recorded]
        write_whole(path, _text(result.line() for result in whole))
        self._write_trajectories(recorded[result.place] for result in whole)
        return whole

    def _trajectories(self) -> list[tuple[Place, str]]:
        """Reads the recorded trajectories: which episode each is, and its line.

        Raises:
            DataError: a line is none; it names file and line.
        """
        path = self.path / FILE_NAME
        lines = enumerate(whole_lines(path), 1) if path.exists() else ()
        return [
            (_place_of(line, f"{path} line {number}"), line.decode("utf-8"))
            for number, line in lines
        ]

    def _write_trajectories(self, lines: Iterable[str]) -> None:
        if (self.path / FILE_NAME).exists():
            write_whole(self.path / FILE_NAME, _text(lines))


def _place_of(line: bytes, where: str) -> Place:
    """Reads which episode a recorded trajectory is."""
    try:
        trajectory = parsed(line, where)
        place = trajectory["options"]["index"], trajectory.get("repeat", 0)
    except (KeyError, TypeError, AttributeError):
        place = None, None
    if not all(type(each) is int for each in place):
        raise DataError(f"{where}: expected a trajectory with options.index, a whole number")
    return cast(Place, place)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
