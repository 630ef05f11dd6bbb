"""Memory becomes flat; ten thousand episodes of each kind run by name.

pytest "tests/scripts/dev/test_soak.py::test_memory_is_flat_over_ten_thousand_episodes"
"""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "dev" / "soak.py"
KINDS = ("search", "clips", "lanes")
MAX_GROWTH_MB = 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_episodes_of_each_kind_are_counted(kind, capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    assert main([kind, "--episodes", "3", "--threads", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["episodes"]) == (kind, 3)
    ((n_episodes, mb),) = found["resident_mb"]
    assert n_episodes == 3
    assert mb > 10


def test_growth_is_counted_from_the_thousandth_episode():
    growth = runpy.run_path(str(SCRIPT))["growth"]
    assert growth([(500, 1.0), (1000, 7.0), (1500, 9.5), (2000, 8.0)]) == 2.5
    assert growth([(500, 1.0)]) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_flat_over_ten_thousand_episodes(kind):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), kind], env=env, stdout=subprocess.PIPE, check=True
    )
    assert json.loads(done.stdout)["grew_mb"] < MAX_GROWTH_MB
