"""The benchmark of an OpenEnv server plays what it says."""

import pytest


@pytest.mark.slow
def test_rollouts_are_measured_with_and_without_a_server(capsys):
    pytest.importorskip("openenv")
    from pixel_env.scripts.dev.bench_openenv import main, measured

    ratios = measured([1, 3], rollouts=3, rounds=2, encoding="jpeg")
    assert [len(ratios[n]) for n in (1, 3)] == [2, 2]
    assert min(min(found) for found in ratios.values()) > 0
    assert main(["--rollouts", "2", "--rounds", "1", "--sessions", "2"]) == 0
    assert "as a ratio" in capsys.readouterr().out
