"""The measurement of opening large data sets, on small ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pixel_env.tasks.tallyqa import TallyQA
from pixel_env.tasks.vstar import VStar

PATH = Path(__file__).parents[3] / "scripts" / "dev" / "bench_rows.py"
spec = importlib.util.spec_from_file_location("bench_rows", PATH)
assert spec is not None
assert spec.loader is not None
bench_rows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench_rows)


def test_what_is_measured_can_be_looked_at(tmp_path):
    bench_rows.write_tallyqa(tmp_path / "tallyqa", 30)
    assert len(TallyQA(tmp_path / "tallyqa")) == 30
    bench_rows.write_pictures(tmp_path / "vstar", 3 * bench_rows.PICTURE_BYTES, 2)
    task = VStar(tmp_path / "vstar")
    assert [task[index].media[0].size for index in range(3)] == [bench_rows.PICTURE_SIDES] * 3


def test_cells_are_seconds_and_megabytes_of_this_process(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_rows, "N_RESETS", 2)
    bench_rows.write_tallyqa(tmp_path / "tallyqa", 10)
    open_s, open_mb, reset_s, peak_mb = map(
        float, bench_rows.measure("TallyQA", {"data_dir": str(tmp_path / "tallyqa")})
    )
    assert open_s >= 0
    assert reset_s > 0
    assert 10 < open_mb <= peak_mb
