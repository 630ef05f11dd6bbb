"""What every command does alike: exit codes, one sentence for a fault, and how it is stopped."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pixel_env.agents.settings.command import Terminated, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.errors import ConfigError, DataError

PAGE = Page("pixel-reason test", "Tests.")


@dataclass(frozen=True)
class Options:
    """Of a command."""

    data_dir: str = ""
    """Where."""


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C is listened to: a runner that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(work, *arguments):
    return command(work, Options(), PAGE, arguments)


def test_the_work_gets_its_options_and_gives_the_exit_code(capsys):
    def work(options, terminal):
        terminal.say(f"[bold]{options.data_dir}[/bold]")
        return 3

    assert run(work, "--data-dir", "x") == 3
    assert capsys.readouterr().out == "[bold]x[/bold]\n"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ConfigError("expected data_dir to be there"), "expected --data-dir to be there"),
        (DataError("row 3 is [red]"), "row 3 is [red]"),
    ],
)
def test_a_fault_is_a_sentence_and_exit_code_1(capsys, fault, message):
    def work(options, terminal):
        raise fault

    assert run(work) == 1
    assert capsys.readouterr().out == f"{message}\n"


def test_a_command_line_that_can_not_be_read_is_a_sentence_and_exit_code_2(capsys):
    def work(options, terminal):
        raise UsageError("expected --x")

    for arguments in (("--data_dri", "x"), ()):
        with pytest.raises(SystemExit) as stop:
            run(work, *arguments)
        assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert "pixel-reason test: there is no option --data-dri. Did you mean --data-dir?" in lines[0]
    assert lines[1] == "pixel-reason test: expected --x"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
@pytest.mark.parametrize(
    ("goes_on", "message"),
    [
        (None, "stopped\n"),
        ("", "stopped; the same command goes on\n"),
        (" with --out x", "stopped; the same command with --out x goes on\n"),
    ],
)
def test_a_signal_is_a_sentence_and_its_own_exit_code(capsys, number, code, goes_on, message):
    closed = []

    def work(options, terminal):
        terminal.goes_on = goes_on
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        finally:
            closed.append(True)

    before = signal.getsignal(signal.SIGTERM)
    assert run(work) == code
    assert capsys.readouterr().out == message
    assert closed
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_command_runs_in_another_thread_too():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run(lambda *_: 0)))
    thread.start()
    thread.join()
    assert codes == [0]


def test_the_last_word_is_the_one_that_the_work_left():
    def work(options, terminal):
        terminal.leave = lambda code: code + 40
        raise Terminated

    assert run(work) == 183


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_stopped_says_how_to_go_on(tmp_path, number):
    """An evaluation is stopped in the middle, by the same signals as `kill` and Ctrl-C."""
    arguments = "evaluate --env PixelReason-SyntheticSearch-v0 --policy random --samples 100000"
    process = subprocess.Popen(
        [sys.executable, "-m", "pixel_env", *arguments.split(), "--out", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    results = tmp_path / "out" / "results.jsonl"
    while not results.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert "stopped; the same command with --out out goes on" in out
    assert "Traceback" not in err
    assert process.returncode == 128 + number


def test_the_scripts_are_the_same_functions():
    """Run from their paths, as a clone has them."""
    folder = Path(__file__).parents[3] / "scripts"
    done = subprocess.run(
        [sys.executable, str(folder / "export.py"), "--ot", "x"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "pixel-reason export: there is no option --ot. Did you mean --out?" in done.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            OSError(errno.ENOSPC, "", "runs/a"),
            "runs/a can't be written: no room is left on its disk; make some, then the same "
            "command with --out x goes on; what was done is kept",
        ),
        (
            OSError(errno.ENOTDIR, "", "a/b"),
            "a/b can't be written: expected a folder, got a file in its way; choose another place",
        ),
        (OSError(errno.ENOENT, "No such file", "a"), "a: No such file"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "Broken pipe"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_of_the_system_is_a_sentence_on_standard_error(capsys, fault, message):
    def work(options, terminal):
        terminal.goes_on = " with --out x"
        raise fault

    assert run(work) == 1
    assert capsys.readouterr().err == f"pixel-reason test: {message}\n"


def test_a_thread_of_a_library_prints_no_error_of_the_system(capsys):
    """It gives the same error to the command; what else a thread raises is printed."""

    def work(options, terminal):
        for fault in (OSError(errno.ENOSPC, "full"), ValueError("own mistake")):
            thread = threading.Thread(target=lambda fault=fault: fail(fault))
            thread.start()
            thread.join()
        return 0

    def fail(fault):
        raise fault

    shown = []
    before, threading.excepthook = threading.excepthook, lambda given: shown.append(given.exc_value)
    try:
        assert run(work) == 0
    finally:
        threading.excepthook = before
    assert [str(each) for each in shown] == ["own mistake"]
