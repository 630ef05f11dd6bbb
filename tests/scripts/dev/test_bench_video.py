"""The comparison of video readers runs, and compares their frames."""

import re
import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "dev" / "bench_video.py"
TINY = ["--size", "96x64", "--seconds", "2", "--keyframes", "3", "--frames", "5"]
TINY += ["--selected", "2", "--repeats", "1"]


def test_it_prints_the_times_of_every_reader_as_multiples_of_the_first(capsys):
    script = runpy.run_path(str(SCRIPT))
    assert script["main"](TINY) == 0
    printed = capsys.readouterr().out
    assert "96 x 64, 2 s, 60 frames, 3 keyframes; 5 frames, then 2 of them" in printed
    for name in script["READERS"]:
        row = next(line for line in printed.splitlines() if f" {name} " in line)
        ratios = [float(number) for number in re.findall(r"\d+\.\d\d", row)]
        assert len(ratios) == 3
        assert ratios == [1, 1, 1] if name == "pyav" else min(ratios) > 0


def test_readers_that_give_other_frames_are_an_error(capsys):
    script = runpy.run_path(str(SCRIPT))
    decord = script["READERS"]["decord"]
    script["READERS"]["decord"] = lambda path, numbers: decord(path, numbers[::-1])
    assert script["main"](TINY) == 1
    assert "decord gives others" in capsys.readouterr().out
