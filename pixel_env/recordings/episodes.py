"""Reads recorded trajectories for a page: chosen ones, checked, with the regions that they read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError, unknown_name
from ..media.border import foreign_bytes
from ..media.geometry import Box
from .trajectory import FILE_NAME

Record = Mapping[str, Any]

OUTCOMES: Mapping[str, Callable[[Record], bool]] = {
    "right": lambda record: _grade(record).get("correct") is True,
    "wrong": lambda record: _grade(record).get("correct") is False,
    "unanswered": lambda record: not _grade(record),
    "looked": lambda record: record.get("n_calls", 0) > 0,
    "unlooked": lambda record: record.get("n_calls", 0) == 0,
    "errors": lambda record: record.get("n_operation_errors", 0) > 0,
}
"""What episodes can be chosen by."""


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "n_calls": int,
    "n_operation_errors": int,
    "reward": (int, float),
    "reward_terms": dict,
    "grade": dict,
    "choices": list,
    "category": str,
}
"""What a record may lack, and of which type it is."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which episodes are shown.

    Attributes:
        only: names of `OUTCOMES`, all of which must hold.
        category: of the sample; empty takes all.
        text: what the question, an answer or a message holds, in any case; empty takes all.
    """

    only: tuple[str, ...] = ()
    category: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        """Checks the names.

        Raises:
            ConfigError: an outcome is unknown.
        """
        for name in self.only:
            if name not in OUTCOMES:
                raise unknown_name("an outcome", name, OUTCOMES)

    def holds(self, record: Record) -> bool:
        """Whether an episode is shown."""
        if self.category and record.get("category") != self.category:
            return False
        if not all(OUTCOMES[name](record) for name in self.only):
            return False
        messages = [str(turn.get("message", "")) for turn in record["turns"]]
        searched = "\n".join([record["question"], str(record.get("answer", "")), *messages])
        return self.text.casefold() in searched.casefold()


@dataclass(frozen=True, slots=True)
class Region:
    """A region that an operation read, on the view that it is drawn on.

    Attributes:
        turn: number of the turn, from 1.
        box: fractions of the picture.
    """

    turn: int
    box: Box


def read_episodes(
    folder: str | os.PathLike[str],
    chosen: Filter | None = None,
    limit: int | None = 200,
    faults: list[DataError] | None = None,
) -> Iterator[Record]:
    """Reads the first episodes of a folder that a filter lets through, one after the other.

    Args:
        folder: holds `trajectories.jsonl` and `images/`.
        chosen: which of them; all where None.
        limit: how many at most, at least 1; None reads all.
        faults: gets the faults of lines that are no records, which are passed over then; None
            raises the first.

    Yields:
        Records as `TrajectoryRecord` describes them.

    Raises:
        ConfigError: `limit` is under 1, or the folder holds no trajectories.
        DataError: a line is no such record; it names file and line.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"expected a limit of at least 1, got {limit}")
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise ConfigError(nothing_there(Path(folder)))
    chosen = chosen or Filter()
    shown = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return  # being written, or cut off
            try:
                record = _record(line, f"{path} line {number}")
            except DataError as fault:
                if faults is None:
                    raise
                faults.append(fault)
                continue
            if chosen.holds(record):
                yield record
                shown += 1
                if shown == limit:
                    return


def episode_place(record: Record) -> tuple[int, int] | None:
    """Returns the index of an episode's sample and the repeat; None where it has no index."""
    options, repeat = record.get("options"), record.get("repeat", 0)
    index = options.get("index") if isinstance(options, dict) else None
    if not isinstance(index, int) or not isinstance(repeat, int):
        return None
    return index, repeat


def regions_by_view(record: Record) -> dict[int, list[Region]]:
    """Returns the regions that an episode's operations read, by the view that they are drawn on.

    A region of a region is drawn on the view that the first of them was taken from, for
    `executed_box` is in fractions of the picture behind both.
    """
    root: dict[int, int] = {}
    found: dict[int, list[Region]] = {}
    for number, turn in enumerate(record["turns"], 1):
        target, box = turn.get("target_image"), turn.get("executed_box")
        if target is None or box is None:
            continue
        drawn_on = root.get(target, target)
        root |= dict.fromkeys(turn.get("views_added") or (), drawn_on)
        found.setdefault(drawn_on, []).append(Region(number, tuple(box)))
    return found


def _record(line: bytes, where: str) -> Record:
    """Returns one line's record, with at least what a page shows of every episode.

    What is of another type than `TrajectoryRecord` writes counts as missing, where it may miss.
    """
    with foreign_bytes(where, "is no trajectory"):
        record = json.loads(line)
        is_record = isinstance(record["question"], str) and all(
            isinstance(each["images"], list) for each in (record["first"], *record["turns"])
        )
        if not is_record:
            raise TypeError("its question or pictures are of another type")
    for name, kinds in _KINDS.items():
        if not isinstance(record.get(name), kinds):
            record.pop(name, None)
    return record  # type: ignore[no-any-return]


def nothing_there(folder: Path) -> str:
    """Returns the sentence that a folder holds no trajectories, and which folders below it do."""
    below = sorted(str(path.parent) for path in folder.glob(f"**/{FILE_NAME}"))[:8]
    hint = f"; these hold some: {', '.join(below)}" if below else ""
    return f"expected a folder with {FILE_NAME}, found none in {folder}{hint}"


def _grade(record: Record) -> Mapping[str, Any]:
    return record.get("grade") or {}
