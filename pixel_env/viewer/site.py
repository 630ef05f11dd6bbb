"""Everything that a page of episodes shows, read from a folder: its index, its episodes, curves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError
from ..evidence import SEEN_SHARE
from ..recordings.episodes import Filter, Record, nothing_there, read_episodes
from .episode import episode_of
from .pictures import PagePictures
from .sources import Source, find_sources, read_curves

CHUNK = 20
"""Episodes of one data file: opening an episode loads those beside it."""

Pick = Callable[[Source, Record], bool]
"""Tells whether an episode is shown even where the limit is reached."""


@dataclass(frozen=True)
class Site:
    """A page's content.

    Attributes:
        root: the folder, resolved.
        index: what the page holds itself: sources, curves, a row for each episode.
        details: what each episode's own page shows, in the rows' order.
        pictures: the pictures that it may show.
        faults: of lines, pictures and files that can't be read; the page goes without them.
        n_chosen: episodes that the filter lets through, shown or not.
    """

    root: Path
    index: dict[str, Any]
    details: list[dict[str, Any]]
    pictures: PagePictures
    faults: list[DataError] = field(default_factory=list)
    n_chosen: int = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each episode."""
        rows: list[dict[str, Any]] = self.index["episodes"]
        return rows

    @property
    def n_chunks(self) -> int:
        """How many data files the episodes take."""
        return -(-len(self.details) // CHUNK)

    def chunk(self, number: int) -> list[dict[str, Any]]:
        """Returns the episodes of one data file, from 0."""
        return self.details[number * CHUNK : (number + 1) * CHUNK]


def read_site(
    folder: str | os.PathLike[str],
    title: str = "",
    chosen: Filter | None = None,
    limit: int = 500,
    pick: Pick | None = None,
    note: Callable[[int], None] | None = None,
) -> Site:
    """Reads what a folder holds: recorded episodes, an evaluation, a training run, a benchmark.

    Args:
        folder: holds `trajectories.jsonl`, or folders that do, at any depth.
        title: of the page; the folder's name where empty.
        chosen: which episodes; all where None.
        limit: how many episodes of each folder at most, at least 1.
        pick: which are shown beyond the limit as well.
        note: called with how many episodes were read.

    Raises:
        ConfigError: `limit` is under 1, or there is nothing to show.
    """
    if limit < 1:
        raise ConfigError(f"expected limit >= 1, got {limit}")
    root = Path(folder).resolve()
    faults: list[DataError] = []
    sources, curves = find_sources(root, faults), read_curves(root, faults)
    if not sources:
        raise ConfigError(nothing_there(Path(folder)))
    site = Site(root, {"episodes": []}, [], PagePictures(root), faults)
    keys: dict[str, int] = {}
    n_chosen, named = 0, []
    for place, source in enumerate(sources):
        n_before, n_here = len(site.rows), 0
        for record in read_episodes(source.folder, chosen, limit=None, faults=faults):
            n_chosen, n_here = n_chosen + 1, n_here + 1
            if note:
                note(n_chosen)
            if n_here <= limit or (pick and pick(source, record)):
                made = episode_of(record, source, place, site.pictures)
                faults += [made.fault] if made.fault else []
                site.rows.append({**made.row, "key": _key(made.row, source, sources, keys)})
                site.details.append(made.detail)
        named.append(_named(source, root, n_here, len(site.rows) - n_before))
    site.index.update(
        title=title or root.name,
        seen_share=SEEN_SHARE,
        chunk=CHUNK,
        sources=named,
        curves=curves,
    )
    return replace(site, n_chosen=n_chosen)


def _named(source: Source, root: Path, n: int, n_shown: int) -> dict[str, Any]:
    """Returns what a page shows of a folder of episodes."""
    name = source.name or root.name
    counts = {"iteration": source.iteration, "n": n, "shown": n_shown}
    return {**source.facts, **counts, "name": name}


def _key(
    row: Mapping[str, Any], source: Source, sources: Sequence[Source], keys: dict[str, int]
) -> str:
    """Returns the name by which a link finds an episode; no two are the same.

    It is the sample's id, with the repeat, the folder where a page has several, and a number where
    a group's rollouts have all that in common.
    """
    key = str(row["sample"])
    key += f"~{row['repeat']}" if row["repeat"] else ""
    key += f"@{source.name}" if len(sources) > 1 else ""
    keys[key] = keys.get(key, 0) + 1
    return key if keys[key] == 1 else f"{key}#{keys[key]}"
