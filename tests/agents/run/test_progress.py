"""What the progress of a run shows, on a screen and in a log file."""

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


def test_a_screen_shows_every_stage_with_its_steps_and_words():
    text = shown(True, [("warm start", 3, 10, "loss 0.5"), ("RL", 1, 40, "RaPR 50%")])
    for part in ("warm start", "3/10", "loss 0.5", "RL", "1/40", "RaPR 50%"):
        assert part in text


@pytest.mark.parametrize("is_screen", [True, False])
def test_a_warning_is_printed_as_it_is(is_screen):
    assert "it [fell] to 0" in shown(is_screen, [("warning", 1, 10, "it [fell] to 0")])


def test_a_log_file_gets_the_end_of_a_stage_and_a_line_now_and_then(monkeypatch):
    seconds = iter([0.0, 10.0, 31.0, 31.0, 40.0, 50.0, 50.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    bars = StageBars(Console(file=(out := io.StringIO()), width=160))
    for done in (1, 2, 3):
        bars("RL", done, 40, f"step {done}")
    bars("RL", 40, 40, "end")
    assert out.getvalue().splitlines() == ["RL 2/40 step 2", "RL 40/40 end"]
