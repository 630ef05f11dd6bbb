r"""Makes one HTML page of recorded trajectories: pictures, boxes looked into, what was said.

    python scripts/view.py runs/mine/evaluation/RL            # view.html in that folder
    python scripts/view.py runs/mine/evaluation/RL --only wrong,looked --out wrong.html
    python scripts/view.py runs/mine/on_policy/rollouts/iteration-40

A folder is what evaluate.py, train.py or the wrapper RecordTrajectories left. The page's pictures
are links into it, loaded when they are seen. With --single-file they are part of the page,
photographs as JPEG: it can be mailed, or opened where the folder isn't.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track

from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.recordings import Filter, page, read_episodes
from pixel_env.recordings.episodes import OUTCOMES, Record

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds trajectories.jsonl and images/")
    parser.add_argument("--out", type=Path, help="the page (default: view.html in the folder)")
    parser.add_argument(
        "--limit", type=int, default=200, help="episodes at most (default: %(default)s)"
    )
    parser.add_argument(
        "--only", default="", metavar="A,B", help=f"episodes that are all of {', '.join(OUTCOMES)}"
    )
    parser.add_argument("--category", default="", help="episodes of one category, such as hard")
    parser.add_argument("--text", default="", help="episodes whose question or messages hold this")
    parser.add_argument(
        "--single-file", action="store_true", help="a page that needs nothing beside it"
    )
    given = parser.parse_args(arguments)
    try:
        chosen = Filter(
            tuple(filter(None, given.only.split(","))), category=given.category, text=given.text
        )
        episodes, n_chosen = _episodes(given.folder, chosen, given.limit)
        out = given.out or given.folder / "view.html"
        count = f"{len(episodes)} of {n_chosen}" if n_chosen > len(episodes) else str(n_chosen)
        title = f"{given.folder}: {count} episodes"
        text = page(episodes, given.folder, title, None if given.single_file else out.parent)
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    out.write_text(text, encoding="utf-8")
    more = "" if n_chosen == len(episodes) else f"; --limit {n_chosen} shows all"
    console.print(f"{count} episodes: {out}{more}", markup=False)
    return 0


def _episodes(folder: Path, chosen: Filter, limit: int) -> tuple[list[Record], int]:
    """Reads the first chosen episodes, and counts all of them.

    Raises:
        ConfigError: none is chosen, or `limit` is under 1.
        DataError: a line is no trajectory.
    """
    if limit < 1:
        raise ConfigError(f"expected a limit of at least 1, got {limit}")
    episodes, n_chosen = [], 0
    read = read_episodes(folder, chosen, limit=None)
    for record in track(read, "Reading", console=console, transient=True):
        n_chosen += 1
        if n_chosen <= limit:
            episodes.append(record)
    if not n_chosen:
        raise ConfigError(
            f"expected episodes to show, got none: of those in {folder} none is chosen by --only, "
            "--category and --text"
        )
    return episodes, n_chosen


if __name__ == "__main__":
    sys.exit(main())
