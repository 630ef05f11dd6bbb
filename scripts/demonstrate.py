"""Makes warm-start demonstrations by executing an environment; run again to go on.

python scripts/demonstrate.py --env PixelReason-SyntheticSearch-v0 --n 100 --out demos.jsonl
python scripts/demonstrate.py --env PixelReason-VStar-v0 --env-arg data_dir='"data/vstar"' \
    --n 50 --recrop 0.5 --out demos.jsonl
python scripts/demonstrate.py --recorded --env PixelReason-PixelReasonerSFT-v0 \
    --env-arg preset=pixel-reasoner-train --out demos.jsonl

With --recorded the messages are those of the task set's own conversations, word for word, and the
options of the mix don't apply.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import pixel_env  # noqa: F401  # registers the environments
from pixel_env.agents.training.checkpoints.checkpointer import as_plain_config, check_same
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.demonstration import KINDS, Demonstration, make_missing
from pixel_env.agents.warm_start.from_conversations import IMITATED, RecordedDemonstrations
from pixel_env.agents.warm_start.synthesis import Synthesis
from pixel_env.errors import ConfigError, PixelEnvError

console = Console(soft_wrap=True)


class Maker(Protocol):
    """What makes demonstrations one by one."""

    dropped: Counter[str]
    """How often each thing kept a demonstration from being made."""

    def make(self, number: int) -> Demonstration | None:
        """Makes one, by number from 0."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    options = parser().parse_args(arguments)
    try:
        chosen = {each.name: getattr(options, each.name) for each in fields(DemonstrationConfig)}
        config = DemonstrationConfig(**chosen)
        env = gym.make(options.env, **dict(options.env_arg))
        maker, n, settings = maker_of(env, config, options)
        demonstrations = make(maker, n, settings, options.out)
    except (PixelEnvError, gym.error.Error) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    finished = f"{len(demonstrations)} of {n} demonstrations in {options.out}"
    console.print(table(demonstrations, finished))
    examples = maker.examples if isinstance(maker, RecordedDemonstrations) else {}
    for reason, count in maker.dropped.most_common():
        example = f" (the first: {examples[reason]})" if reason in examples else ""
        console.print(f"left out {count} times: {reason}{example}", markup=False, highlight=False)
    if demonstrations:
        show(demonstrations[-1])
    return 0


def parser() -> argparse.ArgumentParser:
    """Returns the command line; the options of the mix are the fields of the config."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--env", required=True, metavar="ID", help="id of the environment")
    made.add_argument(
        "--env-arg",
        action="append",
        default=[],
        type=_named_value,
        metavar="NAME=JSON",
        help="an argument of the environment; may be given several times",
    )
    made.add_argument("--dialect", default="pixel-reasoner", help="default: %(default)s")
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .jsonl file")
    made.add_argument(
        "--recorded", action="store_true", help="play the conversations that the task set holds"
    )
    made.add_argument(
        "--imitate",
        choices=IMITATED,
        default=IMITATED[0],
        help="of recorded looks: all but errors, the last one (the released code), or all; "
        "default: %(default)s",
    )
    for name, value in asdict(DemonstrationConfig()).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, tuple):
            made.add_argument(option, nargs="*", action=_AsTuple, default=value, metavar="NAME")
        else:
            kind = float if value is None else type(value)
            made.add_argument(option, type=kind, default=value, help="default: %(default)s")
    return made


class _AsTuple(argparse.Action):
    def __call__(self, *given: Any) -> None:
        """Keeps a list of words as a tuple: a config's values don't change."""
        _, namespace, values, _ = given
        setattr(namespace, self.dest, tuple(values))


def _named_value(text: str) -> tuple[str, Any]:
    """Reads NAME=JSON; what is no JSON is taken as text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def maker_of(
    env: gym.Env[Any, Any], config: DemonstrationConfig, options: argparse.Namespace
) -> tuple[Maker, int, dict[str, Any]]:
    """Returns what makes the demonstrations, how many, and the settings that they depend on.

    Raises:
        ConfigError: the options don't go together, or the task set holds no conversations.
    """
    settings: dict[str, Any] = {"env": options.env, "env_args": dict(options.env_arg)}
    settings["dialect"] = options.dialect
    if not options.recorded:
        return Synthesis(env, config, options.dialect), config.n, settings | asdict(config)
    standard = DemonstrationConfig()
    given = [name for name, value in asdict(config).items() if value != getattr(standard, name)]
    if given:
        raise ConfigError(f"expected no options of the mix with --recorded, got {', '.join(given)}")
    recorded = RecordedDemonstrations(env, options.dialect, options.imitate)
    data = env.unwrapped.task.fingerprint()  # type: ignore[attr-defined]
    return recorded, len(recorded), settings | {"recorded": data, "imitate": options.imitate}


def make(maker: Maker, n: int, settings: dict[str, Any], out: Path) -> list[Demonstration]:
    """Makes what the file doesn't hold yet, and writes each one as soon as it is made.

    Raises:
        ConfigError: the file was begun with other settings.
        DataError: a line of the file can't be read.
    """
    plain = as_plain_config(settings)
    beside = out.with_suffix(".config.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists() and beside.exists():
        check_same(json.loads(beside.read_text(encoding="utf-8")), plain)
    beside.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    columns = (TextColumn("demonstrations"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("", total=n)
        return make_missing(
            maker.make, n, out, lambda n_done: progress.update(bar, completed=n_done)
        )


def table(demonstrations: Sequence[Demonstration], title: str) -> Table:
    """Returns the kinds with their numbers and mean lengths."""
    made = Table("kind", "number", "share", "messages", "to imitate", "characters", title=title)
    for kind in KINDS:
        held = [each for each in demonstrations if each.kind == kind]
        if n := len(held):
            n_said = sum(len(each.messages) for each in held)
            n_imitated = sum(sum(each.imitate) for each in held)
            n_characters = sum(len(message) for each in held for message in each.messages)
            means = (f"{total / n:.1f}" for total in (n_said, n_imitated, n_characters))
            made.add_row(kind, str(n), f"{n / len(demonstrations):.1%}", *means)
    return made


def show(demonstration: Demonstration) -> None:
    """Prints one demonstration; what is not to be imitated is dim."""
    console.print(f"\nFor example {demonstration.kind} on {demonstration.sample_id}:", markup=False)
    for message, imitate in zip(demonstration.messages, demonstration.imitate, strict=True):
        console.print(message, style="" if imitate else "dim", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
