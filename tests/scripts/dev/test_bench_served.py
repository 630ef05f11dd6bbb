"""The command prints how episodes a second grow with lanes."""

import pytest

from pixel_env.scripts.dev.bench_served import main


@pytest.mark.slow
def test_it_prints_a_line_for_each_number_of_lanes(capsys):
    main(["--latency", "0.01", "--lanes", "1", "2", "--most-waits", "4"])
    shown = capsys.readouterr().out
    for word in ("episodes a second", "ratio", "most possible", "1.0"):
        assert word in shown


@pytest.mark.parametrize("wrong", [["--latency", "0"], ["--lanes", "0"]])
def test_no_wait_and_no_lane_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        main(wrong)
    assert "over 0" in capsys.readouterr().err
