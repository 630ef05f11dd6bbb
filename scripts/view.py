r"""Makes one HTML page of recorded trajectories: pictures, boxes looked into, what was said.

    python scripts/view.py runs/mine/evaluation/RL            # view.html in that folder
    python scripts/view.py runs/mine/evaluation/RL --only wrong,looked --out wrong.html
    python scripts/view.py runs/mine/on_policy/rollouts/iteration-40

A folder is what evaluate.py, train.py or the wrapper RecordTrajectories left. The page needs
nothing beside it: it can be mailed, or opened where there is no network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track

from pixel_env.errors import PixelEnvError
from pixel_env.recordings import Filter, page, read_episodes
from pixel_env.recordings.episodes import OUTCOMES

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
    given = parser.parse_args(arguments)
    try:
        chosen = Filter(
            tuple(filter(None, given.only.split(","))), category=given.category, text=given.text
        )
        episodes = list(
            track(
                read_episodes(given.folder, chosen, given.limit),
                "Reading",
                console=console,
                transient=True,
            )
        )
        text = page(episodes, given.folder, str(given.folder))
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    out = given.out or given.folder / "view.html"
    out.write_text(text, encoding="utf-8")
    console.print(f"{len(episodes)} episodes: {out}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
