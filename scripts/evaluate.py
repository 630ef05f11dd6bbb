"""Scores a policy on an environment: each sample exactly once, with 95% intervals.

Examples:
    python scripts/evaluate.py --env PixelReason-SyntheticSearch-v0 --policy random --samples 200
    python scripts/evaluate.py --env PixelReason-VStar-v0 --data-dir DIR --policy vlm:MODEL
    ... --policy vlm:Qwen/Qwen2.5-VL-7B-Instruct --policy-arg dtype=bfloat16
    ... --env-arg preset=pixel-reasoner --env-arg max_turns=8

Policies: random and direct (answers at once, always the first option) are floors, demonstration
is an oracle that reads the answer behind the environment, vlm:PATH is a model from a folder or
the hub, sb3:PATH a policy that scripts/train_sb3.py left. Trajectories with pictures, results, a
manifest and a report go to --out.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import gymnasium as gym
from pixel_env.agents.display import score_screen
from pixel_env.agents.evaluation import Evaluation, EvaluationConfig, evaluate
from pixel_env.agents.policies.base import Policy
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.scores import EpisodeResult
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from pixel_env.errors import PixelEnvError

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    options = _parser().parse_args(arguments)
    folder = {} if options.data_dir is None else {"data_dir": options.data_dir}
    try:
        config = EvaluationConfig(
            env_id=options.env,
            env_kwargs={"split": options.split, **folder, **dict(options.env_arg)},
            samples=options.samples,
            lanes=options.lanes,
            seed=options.seed,
            out=options.out or _free_folder(options.env, options.policy),
        )
        evaluation = _run(make_policy(options.policy, **dict(options.policy_arg)), config)
    except (PixelEnvError, gym.error.Error) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    title = f"{evaluation.manifest['policy']} on {config.env_id}"
    console.print(score_screen(title, {each.group: each for each in evaluation.table}))
    console.print(f"Report, manifest and trajectories: {config.out}", markup=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--env", required=True, metavar="ID", help="Gymnasium id, such as PixelReason-VStar-v0")
    add("--policy", required=True, help="random, direct, demonstration, vlm:PATH or sb3:PATH")
    add("--data-dir", metavar="DIR", help="folder of the data set, where it needs one")
    add("--split", default="test", help="which split (default: %(default)s)")
    add("--samples", type=int, metavar="N", help="only the first N samples (default: all)")
    add("--lanes", type=int, default=8, help="episodes at once (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the policy's choices (default: %(default)s)")
    add("--out", type=Path, metavar="DIR", help="new folder for the results (default: in runs/)")
    more: dict[str, Any] = {"action": "append", "default": [], "type": _pair}
    more["metavar"] = "KEY=VALUE"
    add("--env-arg", **more, help="any argument of gym.make; the value is JSON or plain text")
    add("--policy-arg", **more, help="a setting of the policy: look=0.2, greedy=false, ...")
    return parser


def _pair(text: str) -> tuple[str, Any]:
    """Reads "key=value"; a value that isn't JSON is taken as text."""
    key, _, value = text.partition("=")
    if not key.isidentifier() or not value:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    with suppress(ValueError):
        return key, json.loads(value)
    return key, value


def _free_folder(env_id: str, policy: str) -> Path:
    """Returns the first folder runs/ENV-POLICY-n that isn't there."""
    name = f"{env_id}-{policy}".replace(":", "-").replace("/", "-")
    numbered = (Path("runs") / f"{name}-{number}" for number in count(1))
    return next(folder for folder in numbered if not folder.exists())


def _run(policy: Policy, config: EvaluationConfig) -> Evaluation:
    """Evaluates with a progress bar."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(policy.name, total=None)

        def note(_: EpisodeResult, n_samples: int) -> None:
            progress.update(bar, advance=1, total=n_samples)

        return evaluate(policy, config, note)


if __name__ == "__main__":
    sys.exit(main())
