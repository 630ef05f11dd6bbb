r"""Runs the paper's arms on the tiny policy: does looking die out without the curiosity bonus?

    python scripts/learning_trap.py                       # every arm, three seeds
    python scripts/learning_trap.py --jobs 2              # two runs at a time, one thread each
    python scripts/learning_trap.py --arms curiosity,no-curiosity --seeds 0

The same command with the same --out goes on after a stop. The folder gets report.md with the
table, its reading, and curves.png; every run's own folder holds what `train.py` leaves.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from transformers.utils.logging import disable_progress_bar

from pixel_env.agents.evaluation.manifest import git_revision
from pixel_env.agents.learning_trap.arms import Job, TrapConfig, trainings, warm_starts
from pixel_env.agents.learning_trap.curves import draw_curves
from pixel_env.agents.learning_trap.report import CURVES, course, read_arm, reading, table
from pixel_env.agents.run.run import TrainingRun
from pixel_env.agents.settings.command_line import add_options, read_options
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.errors import PixelEnvError

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/learning_trap"),
        metavar="DIR",
        help="folder of all runs; one that was begun goes on (default: %(default)s)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    add_options(parser, TrapConfig())
    given = parser.parse_args(arguments)
    try:
        config = read_options(vars(given), TrapConfig())
        for jobs in (warm_starts(config, given.out), trainings(config, given.out)):
            run_all(jobs, given.jobs)
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    console.print(write_report(config, given.out), markup=False)
    console.print(f"Report and curves: {given.out}", markup=False)
    return 0


def run_all(jobs: Sequence[Job], n_at_once: int) -> None:
    """Runs what isn't finished, some at a time, each in a process of its own."""
    waiting = [job for job in jobs if not (job.folder / "finished").exists()]
    columns: tuple[ProgressColumn, ...] = (
        TextColumn("{task.description:<26}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}"),
    )
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(n_at_once, mp_context=spawn, max_tasks_per_child=1) as pool,
        Progress(*columns, console=console) as bars,
    ):
        running = {pool.submit(run, job): job for job in waiting}
        bar_of = {
            job.name: bars.add_task(job.name, total=job.config.on_policy.iterations, text="")
            for job in waiting
        }
        left: set[Future[None]] = set(running)
        while left:
            done, left = wait(left, timeout=2)
            for job in waiting:
                lines = read_metrics(job.folder / "on_policy")
                text = f"RaPR {lines[-1]['rapr']:.0%}" if lines else ""
                bars.update(bar_of[job.name], completed=len(lines), text=text)
            for future in done:
                future.result()
                console.print(f"{running[future].name}: done", markup=False)


def run(job: Job) -> None:
    """Runs one job to its end, in a worker."""
    disable_progress_bar()  # type: ignore[no-untyped-call]
    started = time.perf_counter()
    TrainingRun(job.config, job.folder, lambda *_: None).run()
    minutes = (time.perf_counter() - started) / 60
    (job.folder / "finished").write_text(f"{minutes:.1f} minutes in the last session\n")


def write_report(config: TrapConfig, root: Path) -> str:
    """Writes report.md and curves.png; returns the report."""
    arms = config.chosen
    lines = [read_arm(arm, config, root) for arm in arms]
    trained = [arm for arm in arms if arm.curiosity is not None]
    if trained:
        curves = {
            title: {arm.title: course(arm, name, config, root) for arm in trained}
            for name, title in CURVES.items()
        }
        draw_curves(curves, root / "curves.png")
    settings = json.dumps(asdict(config))
    text = "\n".join(
        [
            "# The learning trap, on the tiny policy\n",
            table(lines),
            reading(lines),
            f"Settings: `{settings}`. Revision {git_revision() or 'unknown'}.",
            "",
        ]
    )
    (root / "report.md").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    sys.exit(main())
