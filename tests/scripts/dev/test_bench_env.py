"""The command prints how fast the twins are."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "dev" / "bench_env.py"


def test_it_prints_a_table(capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    assert main(["--rounds", "1", "--twin", "SyntheticSearch"]) == 0
    shown = capsys.readouterr().out
    for word in ("resets/s", "zooms/s", "ratio", "Search"):
        assert word in shown
    assert "Counting" not in shown


def test_an_unknown_twin_is_refused(capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    with pytest.raises(SystemExit):
        main(["--twin", "VStar"])
    assert "SyntheticClip" in capsys.readouterr().err
