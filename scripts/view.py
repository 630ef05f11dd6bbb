"""Makes one HTML page of recorded trajectories: pictures, boxes zoomed into, messages.

    pixel-reason view runs/mine/evaluation/RL            # view.html in that folder
    pixel-reason view runs/mine/evaluation/RL --only wrong,looked --out wrong.html
    pixel-reason view runs/mine/on_policy/rollouts/iteration-40

A folder is what `pixel-reason evaluate`, `pixel-reason train` or the wrapper RecordTrajectories
left. The page's pictures are links into it, loaded when they are seen. With --single-file they are
part of the page, photographs as JPEG: it can be mailed, or opened where the folder isn't.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.marks import FLAG, POSITIONAL, mark
from pixel_env.errors import ConfigError, DataError
from pixel_env.files.lock import only_writer_of_file
from pixel_env.files.whole_file import write_whole
from pixel_env.recordings import Filter, page, read_episodes
from pixel_env.recordings.episodes import OUTCOMES, Record


@dataclass(frozen=True)
class ViewOptions:
    """Which episodes, and where the page goes."""

    folder: Path | None = field(default=None, metadata=mark(POSITIONAL))
    """Holds trajectories.jsonl and images/."""
    out: Path | None = None
    """The page; null: view.html in the folder."""
    limit: int = 200
    """Episodes at most."""
    only: tuple[str, ...] = ()
    """Episodes that are all of these; the text above lists them."""
    category: str = ""
    """Episodes of one category, such as hard."""
    text: str = ""
    """Episodes whose question or messages hold this."""
    single_file: bool = field(default=False, metadata=mark(FLAG))
    """A page that needs nothing beside it."""


PAGE = Page("pixel-reason view", f"{__doc__}\n--only takes {', '.join(OUTCOMES)}.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    return command(_view, ViewOptions(), PAGE, arguments)


def _view(options: ViewOptions, terminal: Terminal) -> int:
    folder = options.folder
    if folder is None:
        raise UsageError("expected the folder of recorded episodes")
    chosen = Filter(options.only, category=options.category, text=options.text)
    episodes, n_chosen = _episodes(folder, chosen, options.limit, terminal)
    out = options.out or folder / "view.html"
    count = f"{len(episodes)} of {n_chosen}" if n_chosen > len(episodes) else str(n_chosen)
    title = f"{folder}: {count} episodes"
    faults: list[DataError] = []
    text = page(episodes, folder, title, None if options.single_file else out.parent, faults)
    if faults:
        terminal.say(f"{len(faults)} episodes can't be shown, such as: {faults[0]}")
    with only_writer_of_file(out):
        write_whole(out, text)
    more = "" if n_chosen == len(episodes) else f"; --limit {n_chosen} shows all"
    terminal.say(f"{count} episodes: {out}{more}")
    return 0


def _episodes(
    folder: Path, chosen: Filter, limit: int, terminal: Terminal
) -> tuple[list[Record], int]:
    """Reads the first chosen episodes, and counts all of them.

    Raises:
        ConfigError: none is chosen, or `limit` is under 1.
    """
    if limit < 1:
        raise ConfigError(f"expected limit >= 1, got {limit}")
    episodes, n_chosen = [], 0
    faults: list[DataError] = []
    read = read_episodes(folder, chosen, limit=None, faults=faults)
    with StageBars(terminal.console, transient=True) as bars:
        for record in bars.each("reading", read):
            n_chosen += 1
            if n_chosen <= limit:
                episodes.append(record)
    if faults:
        terminal.say(f"{len(faults)} lines are left out, such as: {faults[0]}")
    if not n_chosen:
        raise ConfigError(
            f"expected episodes to show, got none: of those in {folder} none is chosen by --only, "
            "--category and --text"
        )
    return episodes, n_chosen


if __name__ == "__main__":
    sys.exit(main())
