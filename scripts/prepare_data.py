"""Fetches a data set in its published layout, and checks a folder that you already have.

python scripts/prepare_data.py vstar --to data/vstar
python scripts/prepare_data.py vstar --check /path/to/vstar_bench
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from pixel_env.errors import DataError
from pixel_env.tasks.check import Check
from pixel_env.tasks.releases.archives import unpack_all
from pixel_env.tasks.releases.catalogue import RELEASES, Release

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    options = parsed(arguments)
    release = RELEASES[options.release]
    folder = options.check or options.to or release.folder
    if options.check is None:
        sentence = fetch(release, folder, options.split)
        if sentence:
            console.print(sentence, style="red", markup=False)
            return 1
    checked = Check(release, folder, options.quick, progress).run(options.split)
    for sentence in (*checked.held, *checked.remarks):
        console.print(sentence, markup=False)
    for sentence in checked.faults:
        console.print(sentence, style="red", markup=False)
    return 1 if checked.faults else 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    table = "\n".join(f"  {each.name:32}{each.repository}" for each in RELEASES.values())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"data sets, and where they are fetched from:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("release", choices=RELEASES, metavar="NAME", help="which data set")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="folder to fetch into; run again to resume (default: data/NAME)",
    )
    where.add_argument(
        "--check", type=Path, metavar="DIR", help="fetch nothing; check this folder instead"
    )
    parser.add_argument("--split", help="one split alone (default: all that are there)")
    parser.add_argument("--quick", action="store_true", help="open pictures without decoding them")
    options = parser.parse_args(arguments)
    splits = [part.split for part in RELEASES[options.release].parts]
    if options.split not in (None, *splits):
        parser.error(f"expected --split to be one of {', '.join(splits)}, got {options.split!r}")
    return options


def progress(numbers: range) -> Iterable[int]:
    """Goes through the numbers of samples under a bar."""
    return track(numbers, "Checking", console=console, transient=True)


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
        return (
            f"Could not fetch {repository} from the Hugging Face hub ({root_cause(error)}); run "
            "the same command again with a network to resume, or bring the folder and --check it."
        )
    try:
        n_unpacked = unpack_all(folder)
    except (DataError, OSError) as error:
        return str(error)
    if n_unpacked:
        console.print(f"Unpacked {n_unpacked} files.")
    return ""


def root_cause(error: BaseException) -> str:
    """Returns the first cause of an exception in a few words."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


if __name__ == "__main__":
    sys.exit(main())
