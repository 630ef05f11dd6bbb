"""Shows recorded episodes in the browser: why was this answer wrong?

    pixel-reason view runs/mine                          # stages, rollouts, curves, side by side
    pixel-reason view runs/mine/evaluation/RL --only wrong,looked
    pixel-reason view runs/compared --out compared.html  # a page to keep beside the folder
    pixel-reason view runs/mine/evaluation/RL --single-file --out mine.html

A folder is what `pixel-reason evaluate`, `train`, `benchmark`, `play` or the wrapper
RecordTrajectories left, or one that holds such folders. Without --out the page is served on this
machine alone, read only, until Ctrl-C. A written page has its data in a folder beside it, and its
pictures are links into the folder of the episodes. With --single-file they are part of the page,
photographs as JPEG: it can be mailed, or opened where the folder isn't.
"""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, Terminated, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.marks import FLAG, POSITIONAL, mark
from pixel_env.errors import ConfigError
from pixel_env.files.lock import only_writer_of_file
from pixel_env.recordings import Filter
from pixel_env.recordings.episodes import OUTCOMES
from pixel_env.viewer import Site, read_site, write_site
from pixel_env.viewer.server import LoopbackServer
from pixel_env.viewer.written import respond


@dataclass(frozen=True)
class ViewOptions:
    """Which episodes, and where the page goes."""

    folder: Path | None = field(default=None, metadata=mark(POSITIONAL))
    """Holds trajectories.jsonl and images/, or folders that do."""
    out: Path | None = None
    """The page to write; null: it is served. With --single-file: view.html in the folder."""
    limit: int = 500
    """Episodes of each folder at most."""
    only: tuple[str, ...] = ()
    """Episodes that are all of these; the text above lists them."""
    category: str = ""
    """Episodes of one category, such as hard."""
    text: str = ""
    """Episodes whose question or messages hold this."""
    single_file: bool = field(default=False, metadata=mark(FLAG))
    """Write a page that needs nothing beside it."""
    port: int = 0
    """Of the address that is served; 0 takes a free one."""
    no_browser: bool = field(default=False, metadata=mark(FLAG))
    """Print the address, and open no browser."""


PAGE = Page("pixel-reason view", f"{__doc__}\n--only takes {', '.join(OUTCOMES)}.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    return command(_view, ViewOptions(), PAGE, arguments)


def _view(options: ViewOptions, terminal: Terminal) -> int:
    folder = options.folder
    if folder is None:
        raise UsageError("expected the folder of recorded episodes")
    site = _site(folder, options, terminal)
    n_shown = len(site.rows)
    count = f"{n_shown} of {site.n_chosen}" if site.n_chosen > n_shown else str(n_shown)
    more = "" if n_shown == site.n_chosen else f"; --limit {site.n_chosen} shows all"
    if options.out is None and not options.single_file:
        return _serve(site, options, f"{count} episodes{more}", terminal)
    out = options.out or folder / "view.html"
    with only_writer_of_file(out):
        write_site(site, out, options.single_file)
    terminal.say(f"{count} episodes: {out}{more}")
    return 0


def _site(folder: Path, options: ViewOptions, terminal: Terminal) -> Site:
    """Reads what is shown, and says what can't be.

    Raises:
        ConfigError: nothing is chosen.
    """
    chosen = Filter(options.only, category=options.category, text=options.text)
    with StageBars(terminal.console, transient=True) as bars:
        site = read_site(
            folder,
            str(folder),
            chosen,
            options.limit,
            note=lambda n: bars("reading", n, None),
        )
    if site.faults:
        terminal.say(f"{len(site.faults)} things can't be shown, such as: {site.faults[0]}")
    if not site.rows:
        raise ConfigError(
            f"expected episodes to show, got none: of those in {folder} none is chosen by --only, "
            "--category and --text"
        )
    return site


def _serve(site: Site, options: ViewOptions, count: str, terminal: Terminal) -> int:
    """Serves the page until Ctrl-C."""
    with LoopbackServer(partial(respond, site), options.port) as server:
        terminal.say(f"{count}: {server.address}\nCtrl-C ends")
        if not options.no_browser:
            webbrowser.open(server.address)
        try:
            server.wait()
        except Terminated:
            raise
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
