"""Fetches a data set in its published layout, and checks a folder that you already have.

python scripts/prepare_data.py vstar --to data/vstar
python scripts/prepare_data.py vstar --check /path/to/vstar_bench
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

from pixel_env.tasks.vstar import DEFAULT_FOLDER, REPOSITORY, REVISION, VStar
from rich.console import Console
from rich.progress import track

from pixel_env.errors import PixelEnvError
from pixel_env.media import ImageSource
from pixel_env.types import LETTERS

VSTAR_COUNTS = {"direct_attributes": 115, "relative_position": 76}
VSTAR_FILES = ["test_questions.jsonl", "direct_attributes/*", "relative_position/*"]
LICENCE = "licence: none declared"
LOOK = (28, 28)

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", choices=["vstar"], help="which data set")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--to",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="DIR",
        help="folder to fetch into; run again to resume (default: %(default)s)",
    )
    where.add_argument(
        "--check", type=Path, metavar="DIR", help="fetch nothing; check this folder instead"
    )
    options = parser.parse_args(arguments)
    if options.check is None:
        sentence = fetch_vstar(options.to)
        if sentence:
            console.print(sentence, style="red", markup=False)
            return 1
    faults = check_vstar(options.check or options.to)
    for fault in faults:
        console.print(fault, style="red", markup=False)
    return 1 if faults else 0


def fetch_vstar(folder: Path) -> str:
    """Fetches V* Bench at the pinned revision; returns what went wrong, "" where nothing did."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return "Fetching needs huggingface_hub: pip install 'pixel-reason[data]'"
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it logs every retry
    console.print(f"Fetching {REPOSITORY} ({LICENCE}), revision {REVISION}, into {folder}")
    try:
        snapshot_download(
            REPOSITORY,
            repo_type="dataset",
            revision=REVISION,
            local_dir=folder,
            allow_patterns=VSTAR_FILES,
        )
    except Exception as error:
        return (
            f"Could not fetch {REPOSITORY} from the Hugging Face hub ({root_cause(error)}); run "
            "the same command again with a network to resume, or bring the folder and --check it."
        )
    return ""


def root_cause(error: BaseException) -> str:
    """Returns the first cause of an exception in a few words."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


def check_vstar(folder: Path) -> list[str]:
    """Checks counts, pictures and grades of a V* folder; returns one sentence for each fault."""
    try:
        task = VStar(folder)
    except PixelEnvError as error:
        return [str(error)]
    faults, held = [], Counter[str]()
    n_boxes = 0
    for index in track(range(len(task)), "Checking", console=console, transient=True):
        try:
            sample = task[index]
            media = sample.media[0]
            if isinstance(media, ImageSource):
                media.overview(LOOK)
        except PixelEnvError as error:
            faults.append(str(error))
            continue
        held[sample.category] += 1
        n_boxes += bool(sample.evidence)
        golds = (sample.answers[0], LETTERS[sample.right_choice or 0])
        scores = [task.grade(sample, answer).score for answer in (*golds, "")]
        if scores != [1, 1, 0]:
            faults.append(f"{sample.origin}: a gold answer grades under 1, or an empty one over 0")
    console.print(
        f"{folder}: {len(task)} questions ("
        + ", ".join(f"{category} {held[category]}" for category in VSTAR_COUNTS)
        + f"), {n_boxes} with evidence boxes; {LICENCE}."
    )
    if held != VSTAR_COUNTS:
        expected = ", ".join(f"{category} {count}" for category, count in VSTAR_COUNTS.items())
        faults.append(f"expected {sum(VSTAR_COUNTS.values())} good questions ({expected})")
    return faults


if __name__ == "__main__":
    sys.exit(main())
