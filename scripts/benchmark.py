"""Compares several policies on several environments, sample by sample; goes on after a stop.

    pixel-reason benchmark --policy random --policy vlm:tiny --env PixelReason-VStar-v0
    ... --policy before=vlm:MODEL --policy after=vlm:runs/mine/model --baseline before
    ... --policy-arg after.greedy=false --policy-arg after.temperature=0.7
    ... --policy zoomer=mine:Zoomer --policy-arg zoomer.margin=0.3     # a class of your own
    ... --grader mine:grade --judge judge=openai:URL#MODEL     # second scores, beside our own
    ... --env easy=PixelReason-SyntheticSearch-v0 --env-arg easy.max_objects=3 --samples 200
    pixel-reason benchmark --config configs/benchmark.toml --out runs/benchmark

A policy is named as in `pixel-reason evaluate`; LABEL=NAME gives it a label for the tables. An
argument LABEL.NAME=VALUE is for that one, NAME=VALUE for all of them; so for --env and --env-arg.
Each pair of policy and environment is an evaluation in its own folder, which is gone on with after
a stop, and skipped where it is whole. Add a policy, and only its pairs run. A pair that fails is
reported, the others go on, and the exit code is 1. The folder gets index.html (one page, with
links to the episodes), benchmark.md, benchmark.csv and benchmark.json.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from pixel_env.agents.benchmark.cell import make_scorer
from pixel_env.agents.benchmark.config import BenchmarkConfig, Entry, entries, labels_of_ids
from pixel_env.agents.benchmark.document import Link
from pixel_env.agents.benchmark.findings import BenchmarkFindings, run_benchmark
from pixel_env.agents.benchmark.outputs import write_benchmark
from pixel_env.agents.benchmark.plan_file import as_arguments
from pixel_env.agents.benchmark.sections import sections
from pixel_env.agents.evaluation.screen import screen
from pixel_env.agents.run.folders import free_folder
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError, read
from pixel_env.agents.settings.marks import FLAG, REPEATED, mark
from pixel_env.files.lock import only_writer


@dataclass(frozen=True)
class BenchmarkOptions:
    """What is compared, on what."""

    config: Path | None = None
    """A TOML file of these settings; what is typed wins, and adds policies and environments."""
    policy: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME or LABEL=NAME, as evaluate takes it; once for each policy."""
    policy_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """LABEL.NAME=VALUE, a setting of one policy; NAME=VALUE: of all."""
    env: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """ID or LABEL=ID, a Gymnasium id; once for each environment."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """LABEL.NAME=VALUE, an argument of gym.make, such as VStar.data_dir=data/vstar."""
    split: str | None = "test"
    """Which split; null: the task sets' own."""
    baseline: str = ""
    """Label of the policy that the others are compared with; the first one where none is given."""
    samples: int | None = None
    """Only the first so many samples of each environment; null: all."""
    repeats: int = 1
    """Episodes of each sample."""
    lanes: int = 8
    """Episodes at once in each pair of policy and environment."""
    workers: int = 1
    """Pairs at once, each in a process of its own; 1 on one GPU."""
    seed: int = 0
    """Of the policies' choices."""
    controls: bool = field(default=False, metadata=mark(FLAG))
    """Run every pair under every control as well."""
    grader: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """module:name or LABEL=module:name, a function of (sample, answer): a second score."""
    judge: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """openai:URL#MODEL or LABEL=openai:URL#MODEL, a model that judges answers: a second score."""
    judge_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """LABEL.NAME=VALUE, a setting of one judge, such as max_tokens=512; NAME=VALUE: of all."""
    out: Path | None = None
    """Folder of the benchmark; null: a new one in runs/."""


PAGE = Page("pixel-reason benchmark", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where a setting is wrong or a pair failed."""
    return command(_benchmark, BenchmarkOptions(), PAGE, arguments, _read)


def _read(given: Sequence[str], default: BenchmarkOptions, page: Page) -> BenchmarkOptions:
    """Reads the command line, behind what stands in the file that it names."""
    options = read(given, default, page)
    if options.config is None:
        return options
    known = [each.name for each in fields(default)]
    return read([*as_arguments(options.config, known), *given], default, page)


def _benchmark(options: BenchmarkOptions, terminal: Terminal) -> int:
    if not options.policy or not options.env:
        raise UsageError("expected at least one --policy and one --env, or --config")
    config = BenchmarkConfig(
        policies=entries(options.policy, options.policy_arg, "--policy-arg", {}),
        environments=_environments(options),
        out=options.out or free_folder("benchmark"),
        baseline=options.baseline,
        samples=options.samples,
        repeats=options.repeats,
        lanes=options.lanes,
        workers=options.workers,
        seed=options.seed,
        controls=options.controls,
        scorers=(
            *entries(options.grader, (), "--grader", {}),
            *entries(options.judge, options.judge_arg, "--judge-arg", {}),
        ),
    )
    for entry in config.scorers:
        make_scorer(entry)  # a wrong one is named before hours of episodes
    terminal.goes_on = f" with --out {config.out}"
    with only_writer(config.out):
        return _run(config, terminal)


def _run(config: BenchmarkConfig, terminal: Terminal) -> int:
    with StageBars(terminal.console, transient=True) as bars:
        findings = run_benchmark(
            config,
            lambda title, done, total, mean: bars(title, done, total, f"accuracy {mean:.1%}"),
        )
    for fault in write_benchmark(findings):
        terminal.say(f"warning: {fault}", "yellow")
    _show(findings, terminal)
    return 0 if findings.is_whole else 1


def _environments(options: BenchmarkOptions) -> tuple[Entry, ...]:
    split = [] if options.split is None else [f"split={options.split}"]
    arguments = [*split, *options.env_arg]
    ids = [each.rpartition("=")[2] for each in options.env]
    return entries(options.env, arguments, "--env-arg", labels_of_ids(ids))


def _show(findings: BenchmarkFindings, terminal: Terminal) -> None:
    """Prints the short tables, and where everything is."""
    for part in sections(findings):
        if part.rows and not part.is_long:
            rows = [
                [cell.text if isinstance(cell, Link) else cell for cell in row] for row in part.rows
            ]
            terminal.console.print(screen(part.title, rows))
        for point in part.points:
            terminal.say(f"{part.title}: {point}", "yellow")
    terminal.say(f"Report and links to the episodes: {findings.config.out / 'index.html'}")


if __name__ == "__main__":
    sys.exit(main())
