"""Runs the paper's arms on the tiny policy: does zooming die out without the curiosity bonus?

    pixel-reason learning-trap                       # every arm, three seeds
    pixel-reason learning-trap --jobs 2              # two runs at a time, one thread each
    pixel-reason learning-trap --arms curiosity,no-curiosity --seeds 0

The same command with the same --out goes on after a stop. The folder gets report.md with the
table, its reading, and curves.png; every run's own folder holds what `pixel-reason train` leaves.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from pixel_env.agents.evaluation.manifest import git_revision
from pixel_env.agents.learning_trap.arms import Job, TrapConfig, trainings, warm_starts
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.checks import check_least
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page
from pixel_env.agents.settings.marks import UNPREFIXED, mark
from pixel_env.files.lock import only_writer
from pixel_env.files.whole_file import write_whole


@dataclass(frozen=True)
class LearningTrapOptions:
    """Where the runs go, and how many run at once."""

    out: Path = Path("runs/learning_trap")
    """Folder of all runs; one that was begun goes on."""
    jobs: int = 1
    """Runs at a time."""
    trap: TrapConfig = field(default_factory=TrapConfig, metadata=mark(UNPREFIXED))
    """What is compared."""

    def __post_init__(self) -> None:
        """Checks the number.

        Raises:
            ConfigError: it is under 1.
        """
        check_least(self, {"jobs": 1})


PAGE = Page("pixel-reason learning-trap", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument is wrong."""
    return command(_compare, LearningTrapOptions(), PAGE, arguments)


def _compare(options: LearningTrapOptions, terminal: Terminal) -> int:
    config, out = options.trap, options.out
    terminal.goes_on = f" with --out {out}"
    with only_writer(out):
        for jobs in (warm_starts(config, out), trainings(config, out)):
            run_all(jobs, options.jobs, terminal.console)
        terminal.say(write_report(config, out))
    terminal.say(f"Report and curves: {out}")
    return 0


def run_all(jobs: Sequence[Job], n_at_once: int, console: Console) -> None:
    """Runs what isn't finished, some at a time, each in a process of its own."""
    from pixel_env.agents.training.metrics import read_metrics

    waiting = [job for job in jobs if not (job.folder / "finished").exists()]
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(n_at_once, mp_context=spawn, max_tasks_per_child=1) as pool,
        StageBars(console) as bars,
    ):
        running = {pool.submit(run, job): job for job in waiting}
        left: set[Future[None]] = set(running)
        while left:
            done, left = _waited(left)
            for job in waiting:
                lines = read_metrics(job.folder / "on_policy")
                text = f"RaPR {lines[-1]['rapr']:.0%}" if lines else ""
                bars(job.name, len(lines), job.config.on_policy.iterations, text)
            for future in done:
                future.result()
                console.print(f"{running[future].name}: done", markup=False)


def _waited(left: set[Future[None]]) -> tuple[set[Future[None]], set[Future[None]]]:
    """Waits a while; returns the runs that ended, and the others."""
    try:
        return wait(left, timeout=2)
    except KeyboardInterrupt:  # or the pool would wait until every run is at its end
        for future in left:
            future.cancel()
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise


def run(job: Job) -> None:
    """Runs one job to its end, in a worker."""
    from transformers.utils.logging import disable_progress_bar

    from pixel_env.agents.run.run import TrainingRun

    disable_progress_bar()  # type: ignore[no-untyped-call]
    started = time.perf_counter()
    TrainingRun(job.config, job.folder, lambda *_: None).run()
    minutes = (time.perf_counter() - started) / 60
    write_whole(job.folder / "finished", f"{minutes:.1f} minutes in the last session\n")


def write_report(config: TrapConfig, root: Path) -> str:
    """Writes report.md and curves.png; returns the report."""
    from pixel_env.agents.learning_trap.curves import draw_curves
    from pixel_env.agents.learning_trap.report import CURVES, course, read_arm, reading, table

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
    write_whole(root / "report.md", text)
    return text


if __name__ == "__main__":
    sys.exit(main())
