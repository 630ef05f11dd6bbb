"""Fetches a data set in its published layout, and checks a folder that you already have.

pixel-reason prepare-data vstar --to data/vstar
pixel-reason prepare-data vstar --check /path/to/vstar_bench
pixel-reason prepare-data records --check mine.jsonl --metric count
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.marks import FLAG, POSITIONAL, mark
from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.files.whole_file import writing_fault
from pixel_env.tasks.check import OWN, Check
from pixel_env.tasks.records import GRADERS
from pixel_env.tasks.releases.archives import unpack_all
from pixel_env.tasks.releases.catalogue import RELEASES, Release, ReleaseSplit

console = Console(soft_wrap=True)


@dataclass(frozen=True)
class PrepareOptions:
    """Which data set, and where it is or goes."""

    release: str = field(default="", metadata=mark(POSITIONAL))
    """Which data set; the table above lists them. `records` stands for a file of your own."""
    to: Path | None = None
    """Folder to fetch into; run again to resume. Without it: data/NAME."""
    check: Path | None = None
    """Fetch nothing; check this folder, or this file of your own, instead."""
    split: str | None = None
    """One split alone; null: all that are there."""
    metric: str | None = None
    """How the free answers of `records` are graded: text, count or anls; null: text."""
    quick: bool = field(default=False, metadata=mark(FLAG))
    """Open pictures without decoding them."""

    def __post_init__(self) -> None:
        """Checks the names.

        Raises:
            ConfigError: the data set, the split or the metric is unknown, or one of them doesn't
                go with the others.
        """
        if not self.release:
            return
        if self.release not in (*RELEASES, OWN.name):
            raise unknown_name("the data set", self.release, [*RELEASES, OWN.name])
        if self.metric is not None and self.release != OWN.name:
            raise ConfigError(f"metric is for {OWN.name}; {self.release} has its own")
        if self.metric not in (None, *GRADERS):
            raise unknown_name("metric", self.metric, GRADERS)
        if self.release == OWN.name:
            if self.check is None:
                raise ConfigError(f"{OWN.name} are your own questions: name their file by --check")
            return
        splits = [part.split for part in RELEASES[self.release].parts]
        if self.split not in (None, *splits):
            raise unknown_name("split", self.split, splits)


_TABLE = "\n".join(f"    {each.name:34}{each.repository}" for each in RELEASES.values())
PAGE = Page(
    "pixel-reason prepare-data",
    f"{__doc__}\nData sets, and where they are fetched from:\n\n{_TABLE}\n",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    return command(_prepare, PrepareOptions(), PAGE, arguments)


def _prepare(options: PrepareOptions, terminal: Terminal) -> int:
    if not options.release:
        raise UsageError(f"expected the name of a data set: {', '.join(RELEASES)}")
    if options.to and options.check:
        raise UsageError("expected --to or --check, got both")
    release = RELEASES.get(options.release, OWN)
    if release is OWN and options.split:
        release = replace(OWN, parts=(ReleaseSplit(options.split),))
    folder = options.check or options.to or release.folder
    terminal.goes_on = ""
    if options.check is None:
        sentence = fetch(release, folder, options.split)
        if sentence:
            terminal.say(sentence, "red")
            return 1
    settings = {"metric": options.metric} if options.metric else {}
    checked = Check(release, folder, options.quick, progress, settings).run(options.split)
    for sentence in (*checked.splits, *checked.remarks):
        terminal.say(sentence)
    for sentence in checked.faults:
        terminal.say(sentence, "red")
    return 1 if checked.faults else 0


def progress(numbers: range) -> Iterator[int]:
    """Goes through the numbers of samples under a bar."""
    with StageBars(console, transient=True) as bars:
        yield from bars.each("checking", numbers, len(numbers))


def fetch(release: Release, folder: Path, split: str | None) -> str:
    """Fetches a release and unpacks its archives.

    Returns:
        What went wrong in one sentence; "" where nothing did.
    """
    try:
        from huggingface_hub import HfApi, snapshot_download
    except ImportError:
        return "Fetching needs huggingface_hub: pip install 'pixel-reason[data]'"
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it logs every retry
    repository = release.repository
    patterns = [
        pattern
        for of, names in release.files.items()
        if of == "" or split in (None, of)
        for pattern in names
    ]
    try:
        revision = release.revision or HfApi().dataset_info(repository).sha
        pinned = "pinned" if release.revision else "newest"
        console.print(
            f"Fetching {repository} (licence: {release.licence}), {pinned} revision {revision}, "
            f"into {folder}",
            markup=False,
        )
        snapshot_download(
            repository,
            repo_type="dataset",
            revision=revision,
            local_dir=folder,
            allow_patterns=patterns,
        )
    except Exception as error:
        if full := writing_fault(error, folder):
            raise full from error
        return (
            f"Could not fetch {repository} from the Hugging Face hub ({root_cause(error)}); run "
            "the same command again with a network to resume, or bring the folder and --check it."
        )
    try:
        n_unpacked = unpack_all(folder)
    except DataError as error:
        return str(error)
    if n_unpacked:
        console.print(f"Unpacked {n_unpacked} files.")
    return ""


def root_cause(error: BaseException) -> str:
    """Returns the first cause of an exception in short."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


if __name__ == "__main__":
    sys.exit(main())
