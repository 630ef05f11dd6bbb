"""Scores a policy on an environment, with 95% intervals; the same command goes on after a stop.

Examples:
    python scripts/evaluate.py --env PixelReason-SyntheticSearch-v0 --policy random --samples 200
    python scripts/evaluate.py --env PixelReason-VStar-v0 --data-dir DIR --policy vlm:MODEL
    ... --policy vlm:Qwen/Qwen2.5-VL-7B-Instruct --policy-arg dtype=bfloat16
    ... --env-arg preset=pixel-reasoner --env-arg max_turns=8
    ... --controls                               # was looking needed?
    ... --repeats 8 --policy-arg greedy=false    # Avg@8 of a sampled policy
    python scripts/evaluate.py --replay runs/mine/manifest.json

Policies: random and direct (answers at once, always the first option) are floors, demonstration
is an oracle that reads the answer behind the environment, vlm:PATH is a model from a folder or
the hub, sb3:PATH a policy that scripts/train_sb3.py left. Trajectories with pictures, results, a
manifest and a report go to --out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import gymnasium as gym
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pixel_env.agents.evaluation.control_scores import control_cells
from pixel_env.agents.evaluation.controls import evaluate_controls
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, OnResult, evaluate
from pixel_env.agents.evaluation.repeat import replay
from pixel_env.agents.evaluation.results import EpisodeResult
from pixel_env.agents.evaluation.screen import score_screen, screen
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.run.folders import free_folder
from pixel_env.controls.controls import CONTROLS
from pixel_env.errors import ConfigError, PixelEnvError

MOST_SHOWN = 20
"""How many differing episodes a replay shows."""

Found = TypeVar("Found")
console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong or differs."""
    options = _parser().parse_args(arguments)
    try:
        return _replay(options) if options.replay else _evaluate(options)
    except (PixelEnvError, gym.error.Error) as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--env", metavar="ID", help="Gymnasium id, such as PixelReason-VStar-v0")
    add("--policy", help="random, direct, demonstration, vlm:PATH or sb3:PATH")
    add("--data-dir", metavar="DIR", help="folder of the data set, where it needs one")
    add("--split", default="test", help="which split (default: %(default)s)")
    add("--samples", type=int, metavar="N", help="only the first N samples (default: all)")
    add("--repeats", type=int, default=1, metavar="K", help="episodes of each sample (default: 1)")
    add("--lanes", type=int, default=8, help="episodes at once (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the policy's choices (default: %(default)s)")
    add("--out", type=Path, metavar="DIR", help="folder for the results (default: in runs/)")
    more: dict[str, Any] = {"action": "append", "default": [], "type": _pair}
    more["metavar"] = "KEY=VALUE"
    add("--env-arg", **more, help="any argument of gym.make; the value is JSON or plain text")
    add("--policy-arg", **more, help="a setting of the policy: look=0.2, greedy=false, ...")
    add("--controls", action="store_true", help="run the policy under every control as well")
    names: dict[str, Any] = {"action": "append", "default": [], "choices": list(CONTROLS)}
    add("--control", **names, help="run it under this control only; several are stacked")
    add("--replay", type=Path, metavar="MANIFEST", help="run an evaluation again and compare")
    return parser


def _pair(text: str) -> tuple[str, Any]:
    """Reads "key=value"; a value that isn't JSON is taken as text."""
    key, _, value = text.partition("=")
    if not key.isidentifier() or not value:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    with suppress(ValueError):
        return key, json.loads(value)
    return key, value


def _evaluate(options: argparse.Namespace) -> int:
    if not options.env or not options.policy:
        raise ConfigError("expected --env and --policy, or --replay")
    if options.control and options.controls:
        raise ConfigError("expected --control or --controls, got both")
    folder = {} if options.data_dir is None else {"data_dir": options.data_dir}
    config = EvaluationConfig(
        env_id=options.env,
        env_kwargs={"split": options.split, **folder, **dict(options.env_arg)},
        samples=options.samples,
        repeats=options.repeats,
        lanes=options.lanes,
        seed=options.seed,
        control=tuple(options.control),
        out=options.out or free_folder(f"{options.env}-{options.policy}"),
    )
    policy = make_policy(options.policy, **dict(options.policy_arg))
    evaluation = _with_bar(policy.name, lambda note: evaluate(policy, config, note))
    title = f"{policy.name} on {config.env_id}"
    lines = {each.group: each for each in evaluation.table}
    console.print(score_screen(title, lines, evaluation.manifest["score_name"]))
    if options.controls:
        controls = _with_bar(
            "controls", lambda note: evaluate_controls(policy, config, evaluation, note)
        )
        console.print(screen("Was looking needed?", control_cells(evaluation.overall, controls)))
    console.print(f"Report, manifest and trajectories: {config.out}", markup=False)
    return 0


def _replay(options: argparse.Namespace) -> int:
    found = _with_bar("replay", lambda note: replay(options.replay, options.out, note))
    for warning in found.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    for difference in found.differences[:MOST_SHOWN]:
        console.print(difference, style="red", markup=False)
    if found.is_identical:
        console.print(f"identical: {found.n} episodes and their scores")
        return 0
    console.print(f"different: {len(found.differences)} of {found.n} episodes", style="red")
    return 1


def _with_bar(title: str, work: Callable[[OnResult], Found]) -> Found:
    """Does something with a progress bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task(title, total=None)

        def note(_: EpisodeResult, n_episodes: int) -> None:
            progress.update(bar, advance=1, total=n_episodes)
            if progress.tasks[bar].completed >= n_episodes:
                progress.reset(bar)

        return work(note)


if __name__ == "__main__":
    sys.exit(main())
