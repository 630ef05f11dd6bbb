"""`pixel-reason`, and `python -m pixel_env`: every command behind one name."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from . import __version__
from .files.output import whole_output

NAME = "pixel-reason"


class Command(NamedTuple):
    """Where a command is.

    Attributes:
        line: what it does.
        extra: the extra of the installation that it needs.
    """

    line: str
    extra: str = "train"


COMMANDS = {
    "train": Command("train a policy: warm start, then RL with the curiosity bonus"),
    "train-sb3": Command("train PPO of stable-baselines3 on flat observations", "sb3"),
    "evaluate": Command("score a policy on an environment, with intervals and controls"),
    "benchmark": Command(
        "compare several policies on several environments, sample by sample", "benchmark"
    ),
    "demonstrate": Command("make demonstrations for a warm start"),
    "view": Command("show recorded episodes in the browser: why was this answer wrong?"),
    "play": Command("answer the questions of an environment oneself, with what a policy gets"),
    "plan": Command("estimate whether a training fits on a GPU, and how long it takes"),
    "export": Command("write the policy of a run's checkpoint as a model's folder"),
    "rows": Command("write a task set's rows for other trainers, as parquet or JSON lines", "data"),
    "serve-env": Command("serve an environment to trainers by OpenEnv's protocol", "openenv"),
    "prepare-data": Command("fetch a data set, or check a folder of one", "data"),
    "learning-trap": Command("compare the paper's arms on the tiny policy"),
}
"""Each is the module of that name in `pixel_env.scripts`, with underscores."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command by its name.

    Args:
        arguments: the name, then what the command takes; None takes those of this process.

    Returns:
        The exit code: 2 for an unknown name, 1 where an extra is not installed, else the command's.

    Raises:
        SystemExit: as a command does, and where nobody reads the output.
    """
    with whole_output():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if name == "--version":
        sys.stdout.write(f"{NAME} {__version__}\n")
        return 0
    if name.replace("_", "-") not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        sys.stderr.write(f"{NAME}: there is no command {name!r}.{hint} {NAME} --help lists them.\n")
        return 2
    return _run(name.replace("_", "-"), rest)


def _run(name: str, arguments: list[str]) -> int:
    """Imports a command and calls it."""
    try:
        module = importlib.import_module(f"pixel_env.scripts.{name.replace('-', '_')}")
        code: int = module.main(arguments)
    except ModuleNotFoundError as fault:
        missing = (fault.name or "").partition(".")[0]
        if missing in ("", "pixel_env"):
            raise
        extra = COMMANDS[name].extra
        sys.stderr.write(
            f"{NAME} {name} needs {missing}, of the extra {extra}: pip install '{NAME}[{extra}]'\n"
        )
        return 1
    return code


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.line}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {NAME} COMMAND ...\n",
            "An environment where a vision-language model zooms into pictures before it answers.\n",
            "commands:",
            *lines,
            "",
            f"{NAME} COMMAND --help says what a command takes; --version, which version this is.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
