"""Cells in processes of their own: the same results, and a death that stops no other."""

from __future__ import annotations

from pixel_env.agents.benchmark.config import BenchmarkConfig, Entry
from pixel_env.agents.benchmark.findings import run_benchmark

SEARCH = Entry("search", "PixelReason-SyntheticSearch-v0", {"split": "test"})
DEADLY = """
import os, signal

class Deadly:
    name, dialect = "deadly", None

    def reset(self, lane, seed=None):
        pass

    def act(self, observations, lanes):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def run(out, workers, policies, note=lambda *_: None):
    given = tuple(Entry(name, name) for name in policies)
    return run_benchmark(BenchmarkConfig(given, (SEARCH,), out, samples=3, workers=workers), note)


def test_processes_give_the_same_and_a_killed_one_stops_no_other(tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.chdir(tmp_path)
    news = []
    several = run(
        tmp_path / "several", 2, ("deadly:Deadly", "random"), lambda *each: news.append(each)
    )
    alone = run(tmp_path / "alone", 1, ("random",))
    assert several.cell("search", "random").results == alone.cells[0].results
    assert several.cells[0].failure == "its process was ended by SIGKILL"
    assert ("random on search", 3, 3) in [each[:3] for each in news]
    assert not several.is_whole
