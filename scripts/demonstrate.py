r"""Makes warm-start demonstrations by executing an environment; run again to go on.

    pixel-reason demonstrate --env PixelReason-SyntheticSearch-v0 --n 100 --out demos.jsonl
    pixel-reason demonstrate --env PixelReason-VStar-v0 --env-arg data_dir=data/vstar \
        --n 50 --recrop 0.5 --out demos.jsonl
    pixel-reason demonstrate --recorded --env PixelReason-PixelReasonerSFT-v0 \
        --env-arg preset=pixel-reasoner-train --out demos.jsonl

    pixel-reason demonstrate --played runs/me --env PixelReason-SyntheticSearch-v0 --out demos.jsonl

With --recorded the messages are those of the task set's own conversations, word for word, and the
options of the mix don't apply. With --played they are the right episodes that somebody played
(`pixel-reason play`), in the environment and with the arguments that were played.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium as gym
from rich.console import Console
from rich.table import Table

from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.kinds import pairs
from pixel_env.agents.settings.marks import FLAG, REPEATED, UNPREFIXED, mark
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.errors import ConfigError
from pixel_env.files.json_records import parsed
from pixel_env.files.json_values import plain
from pixel_env.files.lock import only_writer_of_file
from pixel_env.files.whole_file import write_whole
from pixel_env.registration import check_id

if TYPE_CHECKING:
    from pixel_env.agents.warm_start.demonstration import Demonstration


@dataclass(frozen=True)
class DemonstrateOptions:
    """What is demonstrated, and where it is written."""

    env: str = ""
    """Id of the environment."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, an argument of the environment; the value is JSON or plain text."""
    dialect: str = "pixel-reasoner"
    """How calls are written."""
    out: Path | None = None
    """A .jsonl file; one that was begun goes on."""
    recorded: bool = field(default=False, metadata=mark(FLAG))
    """Play the conversations that the task set holds."""
    played: Path | None = None
    """Play the right episodes of this folder, which `pixel-reason play` left."""
    imitate: str = "right"
    """Which recorded calls are imitated: "right" (all but errors), "last-two" (the last one alone,
    as in the released code), or "all"."""
    mix: DemonstrationConfig = field(default_factory=DemonstrationConfig, metadata=mark(UNPREFIXED))
    """How many of which kind."""


PAGE = Page(
    "pixel-reason demonstrate",
    __doc__,
    often=(
        *("n", "seed", "pixel_space", "text_only", "single_pass", "recrop", "recrop_twice"),
        *("zoom_further", "select_frames", "reselect_frames", "wording"),
    ),
)


class Maker(Protocol):
    """What makes demonstrations one by one."""

    dropped: Counter[str]
    """How often each thing kept a demonstration from being made."""

    def make(self, number: int) -> Demonstration | None:
        """Makes one, by number from 0."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    return command(_demonstrate, DemonstrateOptions(), PAGE, arguments)


def _demonstrate(options: DemonstrateOptions, terminal: Terminal) -> int:
    if not options.env or options.out is None:
        raise UsageError("expected --env and --out")
    from pixel_env.agents.warm_start.from_conversations import RecordedDemonstrations

    console, out = terminal.console, options.out
    env_args = pairs(options.env_arg, "--env-arg")
    check_id(options.env)
    env = gym.make(options.env, **env_args)
    maker, n, settings = maker_of(env, options, env_args)
    terminal.goes_on = f" with --out {out}"
    with only_writer_of_file(out):
        demonstrations = make(maker, n, settings, out, console)
    finished = f"{len(demonstrations)} of {n} demonstrations in {out}"
    console.print(table(demonstrations, finished))
    examples = maker.examples if isinstance(maker, RecordedDemonstrations) else {}
    for reason, count in maker.dropped.most_common():
        example = f" (the first: {examples[reason]})" if reason in examples else ""
        terminal.say(f"left out {count} times: {reason}{example}")
    if demonstrations:
        show(demonstrations[-1], terminal)
    return 0


def maker_of(
    env: gym.Env[Any, Any], options: DemonstrateOptions, env_args: dict[str, Any]
) -> tuple[Maker, int, dict[str, Any]]:
    """Returns what makes the demonstrations, how many, and the settings that they depend on.

    Raises:
        ConfigError: the options don't go together, or the task set holds no conversations.
    """
    from pixel_env.agents.warm_start.from_conversations import RecordedDemonstrations
    from pixel_env.agents.warm_start.from_played import PlayedDemonstrations
    from pixel_env.agents.warm_start.synthesis import Synthesis

    config = options.mix
    settings = {"env": options.env, "env_args": env_args, "dialect": options.dialect}
    if not options.recorded and options.played is None:
        return Synthesis(env, config, options.dialect), config.n, settings | asdict(config)
    standard = DemonstrationConfig()
    given = [name for name, value in asdict(config).items() if value != getattr(standard, name)]
    if given:
        how = "--recorded" if options.recorded else "--played"
        raise ConfigError(f"expected no options of the mix with {how}, got {', '.join(given)}")
    if options.played is not None:
        if options.recorded:
            raise ConfigError("expected --recorded or --played, got both")
        played = PlayedDemonstrations(env, options.played, options.dialect)
        return played, len(played), settings | {"played": str(options.played)}
    recorded = RecordedDemonstrations(env, options.dialect, options.imitate)
    data = env.unwrapped.task.fingerprint()  # type: ignore[attr-defined]
    return recorded, len(recorded), settings | {"recorded": data, "imitate": options.imitate}


def make(
    maker: Maker, n: int, settings: dict[str, Any], out: Path, console: Console
) -> list[Demonstration]:
    """Makes what the file doesn't hold yet, and writes each one as soon as it is made.

    Raises:
        ConfigError: the file was begun with other settings.
        DataError: a line of the file can't be read.
    """
    from pixel_env.agents.settings.comparison import check_same
    from pixel_env.agents.warm_start.demonstration import make_missing

    given = plain(settings, "settings")
    beside = out.with_suffix(".config.json")
    if out.exists() and beside.exists():
        check_same(parsed(beside.read_bytes(), str(beside)), given)
    write_whole(beside, json.dumps(given, indent=1))
    with StageBars(console, transient=True) as bars:
        return make_missing(maker.make, n, out, lambda n_done: bars("demonstrations", n_done, n))


def table(demonstrations: Sequence[Demonstration], title: str) -> Table:
    """Returns the kinds with their numbers and mean lengths."""
    from pixel_env.agents.warm_start.demonstration import KINDS

    made = Table("kind", "number", "share", "messages", "to imitate", "characters", title=title)
    for kind in KINDS:
        of_kind = [each for each in demonstrations if each.kind == kind]
        if n := len(of_kind):
            n_messages = sum(len(each.messages) for each in of_kind)
            n_imitated = sum(sum(each.imitate) for each in of_kind)
            n_characters = sum(len(message) for each in of_kind for message in each.messages)
            means = (f"{total / n:.1f}" for total in (n_messages, n_imitated, n_characters))
            made.add_row(kind, str(n), f"{n / len(demonstrations):.1%}", *means)
    return made


def show(demonstration: Demonstration, terminal: Terminal) -> None:
    """Prints one demonstration; what is not to be imitated is dim."""
    terminal.say(f"\nFor example {demonstration.kind} on {demonstration.sample_id}:")
    for message, imitate in zip(demonstration.messages, demonstration.imitate, strict=True):
        terminal.say(message, "" if imitate else "dim")


if __name__ == "__main__":
    sys.exit(main())
