r"""Writes the rows of a task set that other trainers read; run again to go on.

    pixel-reason rows --env PixelReason-VStar-v0 --env-arg data_dir=data/vstar --out rows.parquet
    pixel-reason rows --env PixelReason-SyntheticSearch-v0 --split train --n 2000 --out rows.jsonl

A row names an episode (the environment's id and arguments, the sample's index and id) and holds its
first messages as text. It has no picture and no answer: the environment shows the one and keeps
the other. Samples whose files can't be read are left out and counted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.comparison import check_same
from pixel_env.agents.settings.kinds import pairs
from pixel_env.agents.settings.marks import REPEATED, mark
from pixel_env.chat.conversation import SystemPrompt
from pixel_env.chat.rows import Row, row_of
from pixel_env.dialects import get_dialect
from pixel_env.env import PixelReasoningEnv
from pixel_env.errors import ConfigError, DataError
from pixel_env.files.json_records import parsed, record
from pixel_env.files.json_values import plain
from pixel_env.files.lines import append_line, whole_lines
from pixel_env.files.lock import only_writer_of_file
from pixel_env.files.whole_file import whole_file
from pixel_env.registration import check_id

ENDINGS = (".parquet", ".jsonl")
MOST_UNASKED = 100_000
"""Task sets with more samples are endless ones: how many rows must be said."""


@dataclass(frozen=True)
class RowsOptions:
    """Which samples, and where their rows go."""

    env: str = ""
    """Id of the environment."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, an argument of the environment; the value is JSON or plain text."""
    split: str | None = None
    """Which split; null: the task set's own."""
    first: int = 0
    """Number of the first sample, from 0."""
    n: int | None = None
    """How many samples; null: all that follow."""
    dialect: str = "pixel-reasoner"
    """How calls are written."""
    system: SystemPrompt = "full"
    """The system message: full (operations with their schemas), brief, or none."""
    out: Path | None = None
    """A .parquet or .jsonl file; one that was begun goes on."""

    def __post_init__(self) -> None:
        """Checks the numbers and the file's name.

        Raises:
            ConfigError: one of them can't be.
        """
        if self.first < 0:
            raise ConfigError(f"expected first >= 0, got {self.first}")
        if self.n is not None and self.n < 1:
            raise ConfigError(f"expected n >= 1, got {self.n}")
        if self.out is not None and self.out.suffix not in ENDINGS:
            raise ConfigError(f"expected out to end in {' or '.join(ENDINGS)}, got {self.out}")


PAGE = Page("pixel-reason rows", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    return command(_rows, RowsOptions(), PAGE, arguments)


def _rows(options: RowsOptions, terminal: Terminal) -> int:
    if not options.env or options.out is None:
        raise UsageError("expected --env and --out")
    env_args = pairs(options.env_arg, "--env-arg")
    if options.split is not None:
        env_args["split"] = options.split
    check_id(options.env)
    env = gym.make(options.env, **env_args).unwrapped
    if not isinstance(env, PixelReasoningEnv):
        raise ConfigError(f"expected an environment with pictures, got {options.env}")
    numbers = _numbers(options, len(env.task))
    settings = asdict(replace(options, out=None, n=None)) | {
        "env_arg": env_args,
        "data": env.task.fingerprint(),
    }
    terminal.goes_on = f" with --out {options.out}"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with only_writer_of_file(options.out):
        begun = _Begun(options.out, plain(settings, "settings"))
        with StageBars(terminal.console, transient=True) as bars:
            for done, index in enumerate(numbers, 1):
                if index >= begun.next_index:
                    begun.add(index, env, options, env_args)
                bars("rows", done, len(numbers))
        rows = begun.finish(options.out)
    terminal.say(f"{len(rows)} rows in {options.out}")
    if begun.faults:
        terminal.say(f"left out {len(begun.faults)}; the first: {begun.faults[0]}", "yellow")
    return 0


def _numbers(options: RowsOptions, n_samples: int) -> range:
    """Returns the numbers of the samples.

    Raises:
        ConfigError: there are none, or so many that it must be said.
    """
    if options.first >= n_samples:
        raise ConfigError(f"expected first under the {n_samples:,} samples, got {options.first}")
    if options.n is None and n_samples > MOST_UNASKED:
        raise ConfigError(f"{options.env} has {n_samples:,} samples; say by --n how many")
    stop = n_samples if options.n is None else min(options.first + options.n, n_samples)
    return range(options.first, stop)


@dataclass(frozen=True, slots=True)
class _Line:
    """What became of one sample."""

    index: int
    """Its number."""
    row: dict[str, Any] | None = None
    """Its row."""
    fault: str = ""
    """Why it has none."""


class _Begun:
    """Rows that are made so far, in a file beside the one that is wanted.

    Its first line holds the settings; each other one a row, or the fault of a sample.
    """

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        """Opens the file, or begins it.

        Raises:
            ConfigError: it was begun with other settings.
            DataError: a line of it can't be read.
        """
        self.path = out.with_name(f".{out.name}.begun.jsonl")
        self.rows: list[Row] = []
        self.faults: list[str] = []
        self.next_index = 0
        lines = whole_lines(self.path) if self.path.exists() else []
        if not lines:
            append_line(self.path, json.dumps(settings))
            return
        check_same(parsed(lines[0], f"{self.path} line 1"), settings)
        for number, line in enumerate(lines[1:], 2):
            self._note(line, f"{self.path} line {number}")

    def add(
        self, index: int, env: PixelReasoningEnv, options: RowsOptions, env_args: dict[str, Any]
    ) -> None:
        """Makes one row and writes it."""
        try:
            row = row_of(
                env, index, get_dialect(options.dialect), options.system, options.env, env_args
            )
            line = json.dumps({"index": index, "row": asdict(row)}, ensure_ascii=False)
            line.encode()  # half a surrogate pair fits neither file
        except (DataError, UnicodeEncodeError) as fault:
            line = json.dumps({"index": index, "fault": str(fault)})
        append_line(self.path, line)
        self._note(line, str(self.path))

    def finish(self, out: Path) -> list[Row]:
        """Writes the file that is wanted, and removes this one."""
        with whole_file(out) as stream:
            if out.suffix == ".jsonl":
                for row in self.rows:
                    stream.write(json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n")
            else:
                import pyarrow
                from pyarrow import parquet

                rows = [asdict(row) for row in self.rows]
                parquet.write_table(pyarrow.Table.from_pylist(rows, _schema()), stream)
        self.path.unlink()
        return self.rows

    def _note(self, line: str | bytes, where: str) -> None:
        made = record(_Line, parsed(line, where), where)
        self.next_index = made.index + 1
        if made.row is None:
            self.faults.append(made.fault)
        else:
            self.rows.append(record(Row, made.row, where))


def _schema() -> Any:
    """Returns the parquet's columns; also a file without rows has them."""
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    message = pa.struct([("role", text), ("content", text)])
    columns = {name: text for name in ("env_id", "env_args", "dialect")}
    columns |= {"sample_index": number, "sample_id": text, "category": text, "medium": text}
    return pa.schema([*columns.items(), ("n_pictures", number), ("prompt", pa.list_(message))])


if __name__ == "__main__":
    sys.exit(main())
