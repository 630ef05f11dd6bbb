"""The benchmark of an update runs both ways on every case, and both score the same."""

import pytest
import torch

from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.model.settings import ModelSettings
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect
from pixel_env.scripts.dev import bench_update


@pytest.mark.parametrize("case", bench_update.CASES)
def test_both_ways_score_the_same(case):
    loaded = random_model(bench_update.SHAPE, ModelSettings(dtype="float32"))
    dialect = get_dialect("pixel-reasoner")
    encoder = Encoder(loaded.tokenizer, loaded.image_processor, dialect, "none")
    rollouts = bench_update.group(bench_update.CASES[case], 3, 32, encoder)
    with torch.no_grad():
        sums = [
            way(loaded.model, rollouts, encoder)
            for way in (bench_update.padded, bench_update.packed)
        ]
    assert len({t.ids[: t.turns[0].stop].tobytes() for t in rollouts}) == 1
    torch.testing.assert_close(*sums, rtol=1e-4, atol=1e-4)


def test_the_table_has_a_row_for_each_way(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shorter = ["--case=text", "--rollouts=2", "--shorter=64", "--repeats=1", "--threads=1"]
    assert bench_update.main(shorter) == 0
    printed = capsys.readouterr().out
    assert printed.count("padded") == printed.count("packed") == 2
    assert "recomputed" in printed
