"""What every command does alike: reads its options, prints in a sentence what is wrong, stops.

Exit codes: 0, and 1 where a setting or the data is wrong, a server fails or a file can't be
written, 2 where the command line can't be read, 130 after Ctrl-C, 141 where the reader of the
output is gone, 143 after SIGTERM; some commands give 1 or 2 a further meaning, which their help
says.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

import gymnasium as gym
from rich.console import Console

from pixel_env.errors import PixelEnvError, ServiceError
from pixel_env.files.output import BROKEN_PIPE, is_of_output, whole_output

from .command_line import Page, UsageError, read
from .names import paths, with_flags
from .system_faults import sentence_of

Options = TypeVar("Options")

WRONG, UNREADABLE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM."""


class _Screen(Console):
    """A console whose reader may go away."""

    def on_broken_pipe(self) -> None:
        """Ends the command; `whole_output` sees to the rest."""
        raise SystemExit(BROKEN_PIPE)


@dataclass
class Terminal:
    """Where a command prints, and what it does at its end."""

    console: Console = field(default_factory=lambda: _Screen(soft_wrap=True, highlight=False))
    """The screen, or the file that stands for it."""
    goes_on: str | None = None
    """What the same command takes besides to go on after a stop; None where it begins again."""
    leave: Callable[[int], int] = int
    """Takes the exit code at the very end."""

    def say(self, text: str, style: str = "") -> None:
        """Prints a sentence as it is."""
        self.console.print(text, style=style, markup=False)


def command(
    work: Callable[[Options, Terminal], int],
    default: Options,
    page: Page,
    arguments: Sequence[str] | None = None,
    reader: Callable[[Sequence[str], Options, Page], Options] = read,
) -> int:
    """Runs a command.

    Args:
        work: does it; returns the exit code.
        default: the options where none are given.
        page: the help.
        arguments: the command line; None takes that of this process.
        reader: turns the command line into options.

    Returns:
        The exit code.

    Raises:
        SystemExit: help was asked for, the command line can't be read, or nobody reads the output.
    """
    terminal = Terminal()
    with whole_output():
        given = sys.argv[1:] if arguments is None else arguments
        code = _code_of(
            lambda: work(reader(given, default, page), terminal), terminal, default, page
        )
    return terminal.leave(code)


def _code_of(work: Callable[[], int], terminal: Terminal, default: object, page: Page) -> int:
    """Does the work; returns the exit code, and prints in a sentence what went wrong."""
    try:
        with _stoppable(), _quiet_threads():
            return work()
    except UsageError as error:
        sys.stderr.write(f"{page.command}: {error}\n")
        raise SystemExit(UNREADABLE) from None
    except (PixelEnvError, gym.error.Error) as error:
        terminal.say(_with_options(str(error), default), "red")
        if isinstance(error, ServiceError) and terminal.goes_on is not None:
            terminal.say(f"the server failed; the same command{terminal.goes_on} goes on")
        return WRONG
    except OSError as error:
        if is_of_output(error):
            raise
        sys.stderr.write(f"{page.command}: {sentence_of(error, terminal.goes_on)}\n")
        return WRONG
    except KeyboardInterrupt as stop:
        again = terminal.goes_on
        terminal.say("stopped" if again is None else f"stopped; the same command{again} goes on")
        return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED


def _with_options(sentence: str, default: object) -> str:
    """Names options in the message of an error while a command ran."""
    for at, config in paths(default):
        if not at:  # deeper ones may share their names, and name themselves when they are read
            sentence = with_flags(sentence, type(config))
    return sentence


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turns SIGTERM into an exception, so that what is open is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Keeps threads of libraries from printing an error of the system that they also raise.

    TensorBoard writes its files in one, and gives what went wrong to the next call.
    """
    before = threading.excepthook

    def show(fault: threading.ExceptHookArgs) -> None:
        if not issubclass(fault.exc_type, OSError):
            before(fault)

    threading.excepthook = show
    try:
        yield
    finally:
        threading.excepthook = before
