"""What a progress bar shows."""

import io
import math

from pixel_env.agents.progress import TrainingProgress
from rich.console import Console


def test_it_shows_iterations_time_left_and_running_means():
    out = io.StringIO()
    console = Console(file=out, width=160, force_terminal=True)
    with TrainingProgress("on-policy", 10, console, smoothing=0.5) as progress:
        progress(3, {"accuracy/all": 0.2, "rapr": 0.0, "reward/mean": 1.0})
        progress(4, {"accuracy/all": 0.4, "rapr": 0.5, "reward/mean": math.nan}, ["it [fell] to 0"])
    assert progress.text == "accuracy 30.0%, RaPR 25.0%, reward 1.000"
    assert "4/10" in out.getvalue()
    assert "left" in out.getvalue()
    assert progress.text in out.getvalue()
    assert "Warning: it [fell] to 0" in out.getvalue()


def test_metrics_of_another_training_show_nothing():
    with TrainingProgress("on-policy", 10, Console(file=io.StringIO())) as progress:
        progress(1, {"loss": 3.0})
    assert progress.text == ""
