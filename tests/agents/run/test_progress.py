"""What the progress of a command shows, on a screen and in a log file."""

import io

import pytest
from rich.console import Console

from pixel_env.agents.run import progress
from pixel_env.agents.run.progress import StageBars


def shown(is_screen, steps):
    console = Console(file=io.StringIO(), width=160, force_terminal=is_screen)
    with StageBars(console) as bars:
        for step in steps:
            bars(*step)
    return console.file.getvalue()


@pytest.fixture
def log(monkeypatch):
    """Bars that write to a log file, and the clock that they look at."""
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    return StageBars(Console(file=io.StringIO(), width=160)), clock


def lines(bars):
    return bars._console.file.getvalue().splitlines()


def test_a_screen_shows_every_stage_with_its_steps_and_words():
    text = shown(True, [("warm start", 3, 10, "loss 0.5"), ("RL", 1, 40, "RaPR 50%")])
    for part in ("warm start", "3/10", "loss 0.5", "RL", "1/40", "RaPR 50%"):
        assert part in text


@pytest.mark.parametrize("is_screen", [True, False])
def test_a_warning_is_printed_as_it_is(is_screen):
    assert "it [fell] to 0" in shown(is_screen, [("warning", 1, 10, "it [fell] to 0")])


def test_a_log_file_gets_the_end_of_a_stage_and_a_line_now_and_then(log):
    bars, clock = log
    for done, clock[0] in ((1, 10.0), (2, 31.0), (3, 40.0), (40, 50.0)):
        bars("RL", done, 40, f"step {done}")
    assert lines(bars) == ["RL 2/40 step 2", "RL 40/40 step 40"]
    for done, clock[0] in ((1, 90.0), (2, 95.0)):  # a stage whose first step is slow
        bars("evaluate", done, 40)
    assert lines(bars)[2:] == ["evaluate 1/40"]


def test_an_end_is_written_once_and_a_stage_may_run_again(log):
    bars, clock = log
    for done, clock[0] in ((2, 1.0), (2, 50.0), (1, 51.0), (2, 99.0)):
        bars("evaluate", done, 2)
    assert lines(bars) == ["evaluate 2/2", "evaluate 1/2", "evaluate 2/2"]


def test_a_log_file_gets_lines_of_every_stage_that_runs_beside_others(log):
    bars, clock = log
    for clock[0] in (0.0, 10.0, 31.0, 45.0, 62.0):
        for stage in ("seed 0", "seed 1"):
            bars(stage, int(clock[0]), 100)
    assert lines(bars) == ["seed 0 31/100", "seed 1 31/100", "seed 0 62/100", "seed 1 62/100"]


def test_items_are_passed_on_and_counted_also_where_nobody_knows_how_many_there_are(log):
    bars, clock = log
    seen = []
    for item in bars.each("Reading", iter("abc")):
        seen.append(item)
        clock[0] += 20.0
    assert seen == ["a", "b", "c"]
    assert lines(bars) == ["Reading 2", "Reading 3/3"]
    assert list(bars.each("Checking", range(2), 2)) == [0, 1]
    assert lines(bars)[2:] == ["Checking 2/2"]
