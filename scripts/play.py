"""Answers the questions of an environment oneself, with what a policy gets; goes on after a stop.

    pixel-reason play --env PixelReason-SyntheticSearch-v0 --samples 10
    pixel-reason play --env PixelReason-VStar-v0 --data-dir data/vstar --out runs/me
    pixel-reason play --env PixelReason-SyntheticClip-v0 --terminal

The same pixels, sentences and limits as for a policy: in the browser drag a box, choose frames,
click or type an answer. What is played is an evaluation of the policy "human", recorded as any
other: `view` shows it, and `demonstrate --played` makes demonstrations of it. In a benchmark,
--policy human asks as well.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.results import EpisodeResult
from pixel_env.agents.evaluation.screen import score_screen
from pixel_env.agents.human.policy import HumanPolicy
from pixel_env.agents.human.terminal import play
from pixel_env.agents.run.folders import free_folder
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.kinds import pairs
from pixel_env.agents.settings.marks import FLAG, REPEATED, mark
from pixel_env.files.lock import only_writer


@dataclass(frozen=True)
class PlayOptions:
    """What is played, and how."""

    env: str = ""
    """Gymnasium id, such as PixelReason-VStar-v0."""
    data_dir: str | None = None
    """Folder of the data set, where it needs one."""
    split: str | None = "test"
    """Which split; null: the task set's own."""
    samples: int = 10
    """Only the first so many samples."""
    out: Path | None = None
    """Folder of the results; null: a new one in runs/."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, any argument of gym.make; the value is JSON or plain text."""
    terminal: bool = field(default=False, metadata=mark(FLAG))
    """Type actions in the terminal; pictures are files."""
    port: int = 0
    """Of the page's address; 0 takes a free one."""
    no_browser: bool = field(default=False, metadata=mark(FLAG))
    """Print the address, and open no browser."""


_LAST_LINE_S = 5.0
"""How long the last grade may take to be printed."""

PAGE = Page("pixel-reason play", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    return command(_play, PlayOptions(), PAGE, arguments)


def _play(options: PlayOptions, terminal: Terminal) -> int:
    if not options.env:
        raise UsageError("expected --env")
    named = {"split": options.split, "data_dir": options.data_dir}
    out = options.out or free_folder(f"{options.env}-human")
    config = EvaluationConfig(
        env_id=options.env,
        env_kwargs={
            **{name: value for name, value in named.items() if value is not None},
            **pairs(options.env_arg, "--env-arg"),
        },
        samples=options.samples,
        out=out,
    )
    terminal.goes_on = f" with --out {out}"
    with only_writer(out):
        return _run(config, options, out, terminal)


def _run(config: EvaluationConfig, options: PlayOptions, out: Path, terminal: Terminal) -> int:
    policy = HumanPolicy(options.port, not options.no_browser, serves=not options.terminal)
    board = policy.board

    def note(result: EpisodeResult, n_episodes: int) -> None:
        board.note(result.correct, result.score, n_episodes)

    asked = threading.Thread(
        target=_at_terminal, args=(policy, out / "views", terminal), daemon=True
    )
    try:
        if options.terminal:
            asked.start()
        else:
            terminal.say(f"{policy.address}\nCtrl-C stops")
        evaluation = evaluate(policy, config, note)
    finally:
        policy.close()
    if options.terminal:
        asked.join(_LAST_LINE_S)
    lines = {each.group: each for each in evaluation.table}
    title = f"{policy.name} on {config.env_id}"
    terminal.console.print(score_screen(title, lines, evaluation.manifest["score_name"]))
    terminal.say(f"Report, manifest and trajectories: {out}")
    return 0


def _at_terminal(policy: HumanPolicy, folder: Path, terminal: Terminal) -> None:
    """Asks in the terminal; the end of the input ends the evaluation."""
    try:
        play(policy.board, folder, terminal.say, input)
    except EOFError:
        policy.board.stop("the input has ended")


if __name__ == "__main__":
    sys.exit(main())
