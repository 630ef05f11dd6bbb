"""Scores a policy on an environment, with 95% intervals; the same command goes on after a stop.

    pixel-reason evaluate --env PixelReason-SyntheticSearch-v0 --policy random --samples 200
    pixel-reason evaluate --env PixelReason-VStar-v0 --data-dir DIR --policy vlm:MODEL
    ... --policy vlm:Qwen/Qwen2.5-VL-7B-Instruct --policy-arg dtype=bfloat16
    ... --policy vlm:runs/mine/model --policy-arg engine=vllm    # docs/engines.md
    ... --env-arg preset=pixel-reasoner --env-arg max_turns=8
    ... --controls                               # were the operations needed?
    ... --repeats 8 --policy-arg greedy=false    # Avg@8 of a sampled policy
    pixel-reason evaluate --replay runs/mine/manifest.json

Policies: random and direct (answers at once, always the first option) are floors, demonstration
is an oracle that reads the answer behind the environment, human asks you in the browser, vlm:PATH
is a model from a folder or the hub, openai:URL#MODEL a model behind an HTTP interface
(docs/serve.md), sb3:PATH a policy that `pixel-reason train-sb3` left, module:name a class or
function of your own, imported from the current folder or an installed module. A model's folder
stores what it was trained with; its dialect, system message, limits of tokens and settings of the
environment hold where no other are given. Trajectories with pictures, results, a manifest and a
report go to --out. With more --samples or --repeats an evaluation is extended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from pixel_env.agents.evaluation.control_scores import control_cells
from pixel_env.agents.evaluation.controls import evaluate_controls
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, OnResult, evaluate
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.evaluation.results import EpisodeResult, counted
from pixel_env.agents.evaluation.screen import score_screen, screen
from pixel_env.agents.policies.base import Policy
from pixel_env.agents.policies.by_name import MODEL_PREFIX, environment_settings, make_policy
from pixel_env.agents.run.folders import free_folder
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.kinds import pairs
from pixel_env.agents.settings.marks import FLAG, REPEATED, mark
from pixel_env.errors import ConfigError
from pixel_env.files.lock import only_writer

MOST_SHOWN = 20
"""How many differing episodes are shown."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class EvaluateOptions:
    """What is evaluated, and on what."""

    env: str = ""
    """Gymnasium id, such as PixelReason-VStar-v0."""
    policy: str = ""
    """random, direct, demonstration, human, vlm:PATH, openai:URL#MODEL, sb3:PATH, module:name."""
    data_dir: str | None = None
    """Folder of the data set, where it needs one."""
    split: str | None = "test"
    """Which split; null: the task set's own."""
    samples: int | None = None
    """Only the first so many samples; null: all."""
    repeats: int = 1
    """Episodes of each sample."""
    lanes: int = 8
    """Episodes at once."""
    seed: int = 0
    """Of the policy's choices."""
    out: Path | None = None
    """Folder of the results; null: a new one in runs/."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, any argument of gym.make; the value is JSON or plain text."""
    policy_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, a setting of the policy: look=0.2, greedy=false, ..."""
    controls: bool = field(default=False, metadata=mark(FLAG))
    """Run the policy under every control as well."""
    control: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """Run it under this control only; several are stacked."""
    replay: Path | None = None
    """A manifest: run its evaluation again and compare."""


PAGE = Page("pixel-reason evaluate", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong or differs."""
    return command(_work, EvaluateOptions(), PAGE, arguments)


def _work(options: EvaluateOptions, terminal: Terminal) -> int:
    return _rerun(options, terminal) if options.replay else _evaluate(options, terminal)


def _evaluate(options: EvaluateOptions, terminal: Terminal) -> int:
    if not options.env or not options.policy:
        raise UsageError("expected --env and --policy, or --replay")
    if options.control and options.controls:
        raise ConfigError("expected --control or --controls, got both")
    named = {"split": options.split, "data_dir": options.data_dir}
    policy_settings = pairs(options.policy_arg, "--policy-arg")
    out = options.out or free_folder(f"{options.env}-{options.policy}")
    config = EvaluationConfig(
        env_id=options.env,
        env_kwargs={
            **environment_settings(options.policy),
            **{name: value for name, value in named.items() if value is not None},
            **pairs(options.env_arg, "--env-arg"),
        },
        samples=options.samples,
        repeats=options.repeats,
        lanes=options.lanes,
        seed=options.seed,
        control=options.control,
        out=out,
    )
    terminal.goes_on = f" with --out {config.out}"
    with only_writer(out):
        return _run(options, config, policy_settings, terminal)


def _run(
    options: EvaluateOptions,
    config: EvaluationConfig,
    policy_settings: dict[str, Any],
    terminal: Terminal,
) -> int:
    policy = _policy(options.policy, policy_settings)
    evaluation = _shown(policy.name, terminal, lambda note: evaluate(policy, config, note))
    title = f"{policy.name} on {config.env_id}"
    lines = {each.group: each for each in evaluation.table}
    console = terminal.console
    console.print(score_screen(title, lines, evaluation.manifest["score_name"]))
    left_out = evaluation.overall.n_unanswered
    if options.controls:
        controls = _shown(
            "controls", terminal, lambda note: evaluate_controls(policy, config, evaluation, note)
        )
        cells = control_cells(evaluation.overall, controls)
        console.print(screen("Were the operations needed?", cells))
        left_out += sum(each.scores.n_unanswered for each in controls)
    terminal.say(f"Report, manifest and trajectories: {config.out}")
    if left_out:
        terminal.say(
            f"{left_out} episodes are left out, because the server gave no message; "
            f"the same command{terminal.goes_on} asks again",
            "red",
        )
        return 1
    return 0


def _policy(name: str, settings: dict[str, Any]) -> Policy:
    if name.startswith(MODEL_PREFIX) and find_spec("transformers"):
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
    return make_policy(name, **settings)


def _rerun(options: EvaluateOptions, terminal: Terminal) -> int:
    path: Path = options.replay  # type: ignore[assignment]  # the caller has checked it
    found = _shown("replay", terminal, lambda note: rerun(path, options.out, note, options.policy))
    for warning in found.warnings:
        terminal.say(f"warning: {warning}", "yellow")
    for difference in found.differences[:MOST_SHOWN]:
        terminal.say(difference, "red")
    if found.is_identical:
        terminal.say(f"identical: {found.n} episodes and their scores")
        return 0
    terminal.say(f"different: {len(found.differences)} of {found.n} episodes", "red")
    return 1


def _shown(title: str, terminal: Terminal, work: Callable[[OnResult], Found]) -> Found:
    """Does something, and shows how far it is."""
    with StageBars(terminal.console, transient=True) as bars:
        done: list[bool] = []
        known: list[bool] = []

        def note(result: EpisodeResult, n_episodes: int) -> None:
            if len(done) >= n_episodes:  # the next control
                done.clear()
                known.clear()
            done.append(result.correct)
            known.extend(each.correct for each in counted([result]))
            share = sum(known) / max(len(known), 1)
            bars(title, len(done), n_episodes, f"accuracy {share:.1%}")

        return work(note)


if __name__ == "__main__":
    sys.exit(main())
