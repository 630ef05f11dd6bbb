"""Runs cells, one after another or several at once, each then in a process of its own."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from signal import Signals
from typing import NamedTuple

from pixel_env.errors import PixelEnvError
from pixel_env.files.whole_file import write_whole

from ..settings.import_path import fault_text
from .cell import OnEpisode, run_cell
from .config import Cell

FAILURE = "failure.txt"
"""In the folder of a cell that failed: the whole traceback."""

_SECONDS_TO_END = 10.0
"""How long a process may take to end when it is asked to."""


class _Running(NamedTuple):
    number: int
    process: BaseProcess


def run_cells(cells: Sequence[Cell], workers: int, note: OnEpisode) -> dict[int, str]:
    """Runs every cell; one that fails doesn't stop the others.

    Args:
        cells: what runs.
        workers: how many at once. With more than 1 each runs in a process of its own, so that one
            that is killed takes no other with it.
        note: called for each episode.

    Returns:
        For each cell that failed, by its place in `cells`, why.
    """
    if workers == 1:
        found = ((number, _failure(cell, note)) for number, cell in enumerate(cells))
        return {number: failure for number, failure in found if failure}
    return _Pool(cells, note).run(workers)


class _Pool:
    """Processes that run one cell each."""

    def __init__(self, cells: Sequence[Cell], note: OnEpisode) -> None:
        self._cells = cells
        self._note = note
        # A fork would share CUDA's state and the locks of threads that don't exist in it.
        self._context = multiprocessing.get_context("spawn")
        self._running: dict[Connection, _Running] = {}
        self._ended: dict[int, str] = {}

    def run(self, workers: int) -> dict[int, str]:
        waiting = list(enumerate(self._cells))[::-1]
        try:
            while waiting or self._running:
                while waiting and len(self._running) < workers:
                    self._start(*waiting.pop())
                for connection in wait(list(self._running)):
                    assert isinstance(connection, Connection)  # `_running` holds nothing else
                    self._hear(connection)
        finally:
            self._stop()
        return {number: failure for number, failure in sorted(self._ended.items()) if failure}

    def _start(self, number: int, cell: Cell) -> None:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(cell, theirs), name=cell.title)
        process.start()
        theirs.close()  # so that the pipe ends when the process does
        self._running[ours] = _Running(number, process)

    def _hear(self, connection: Connection) -> None:
        number, process = self._running[connection]
        try:
            message = connection.recv()
        except (EOFError, OSError):
            process.join()
            self._ended.setdefault(number, _exit_text(process.exitcode))
            del self._running[connection]
            connection.close()
            return
        if isinstance(message, str):
            self._ended[number] = message
        else:
            self._note(*message)

    def _stop(self) -> None:
        """Ends what still runs, after a stop of this process."""
        for _, process in self._running.values():
            process.terminate()
        for connection, (_, process) in self._running.items():
            process.join(_SECONDS_TO_END)
            if process.is_alive():
                process.kill()
                process.join()
            connection.close()


def _work(cell: Cell, connection: Connection) -> None:
    """Runs a cell in a process of its own; its last message is why it failed, or ""."""
    try:
        failure = _failure(cell, lambda *news: connection.send(news))
    except KeyboardInterrupt:
        return  # the terminal stops all processes at once, and the first one says so
    connection.send(failure)


def _failure(cell: Cell, note: OnEpisode) -> str:
    """Runs a cell; returns why it failed, "" where it didn't."""
    path = cell.folder / FAILURE
    try:
        run_cell(cell, note)
    except (Exception, SystemExit) as fault:  # a policy of a user's own can raise anything
        with suppress(OSError):  # it may be what failed
            cell.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, traceback.format_exc())
        return str(fault) if isinstance(fault, PixelEnvError) else fault_text(fault)
    path.unlink(missing_ok=True)
    return ""


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        name = Signals(-code).name
        return f"its process was ended by {name}"
    return f"its process ended with code {code}"
