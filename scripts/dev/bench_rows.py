"""Measures what opening a large data set costs: seconds, and memory of the process.

Writes a TallyQA file of the test split's size and a parquet with embedded pictures of random pixels
into a temporary folder, opens each in a fresh process, and prints a table.

python scripts/dev/bench_rows.py
python scripts/dev/bench_rows.py --gigabytes 0.1 --rows 1000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import struct
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

PICTURE_SIDES = (640, 512)
PICTURE_BYTES = 3 * PICTURE_SIDES[0] * PICTURE_SIDES[1]
N_RESETS = 20


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=38_589, help="rows of the TallyQA file")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the parquet")
    parser.add_argument("--row-group", type=int, default=100, help="rows of a row group")
    parser.add_argument("--in", dest="folder", type=Path, help="where the temporary folder is made")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        counting, pictures = folder / "tallyqa", folder / "vstar"
        write_tallyqa(counting, options.rows)
        write_pictures(pictures, round(options.gigabytes * 10**9), options.row_group)
        show(
            [
                (f"TallyQA, {options.rows:,} rows in JSON", "TallyQA", counting, {}),
                ("the same, one category", "TallyQA", counting, {"category": "complex"}),
                (f"V* in a parquet of {options.gigabytes:g} GB", "VStar", pictures, {}),
            ]
        )
    return 0


def show(cases: list[tuple[str, str, Path, dict[str, Any]]]) -> None:
    """Measures each case in a process of its own, and prints the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{os.cpu_count()} cores; {N_RESETS} resets to samples drawn by seed")
    for heading in ("opened", "to open, s", "memory then, MB", "a reset, s", "peak, MB"):
        table.add_column(heading, justify="left" if heading == "opened" else "right", no_wrap=True)
    for title, task, folder, arguments in cases:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            cells = process.submit(measure, task, {"data_dir": str(folder), **arguments}).result()
        table.add_row(title, *cells)
    Console(width=100).print(table)


def measure(task: str, arguments: dict[str, Any]) -> tuple[str, ...]:
    """Opens a task set, resets it some times, and returns the table's cells."""
    import gymnasium as gym

    import pixel_env

    started = time.perf_counter()
    env = gym.make(f"PixelReason-{task}-v0", **arguments)
    opened = (f"{time.perf_counter() - started:.2f}", resident_mb("VmRSS"))
    started = time.perf_counter()
    for seed in range(N_RESETS):
        _, info = env.reset(seed=seed)
        if "env_error" in info:
            raise pixel_env.DataError(info["env_error"])
    return *opened, f"{(time.perf_counter() - started) / N_RESETS:.2f}", resident_mb("VmHWM")


def resident_mb(name: str) -> str:
    """Reads a line of Linux's account of this process's memory, in units of 10**6 bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return f"{int(line.split()[1]) * 1024 / 10**6:.0f}"


def write_tallyqa(folder: Path, n_rows: int) -> None:
    """Writes questions of TallyQA's shape about one picture."""
    (folder / "VG_100K").mkdir(parents=True)
    (folder / "VG_100K" / "1.bmp").write_bytes(picture())
    rows = [
        {
            "answer": number % 16,
            "data_source": "amt" if number % 5 < 2 else "imported_genome",
            "image": "VG_100K/1.bmp",
            "issimple": number % 5 >= 2,
            "question": f"How many of the people in row {number} are wearing something red?",
            "question_id": 30_000_000 + number,
        }
        for number in range(n_rows)
    ]
    (folder / "test.json").write_text(json.dumps(rows), encoding="utf-8")


def write_pictures(folder: Path, n_bytes: int, row_group: int) -> None:
    """Writes a parquet of V*'s shape with pictures of random pixels, a row group at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir()
    embedded = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    texts = [(name, pa.string()) for name in ("text", "label", "question_id", "category")]
    schema = pa.schema([("image", embedded), *texts])
    with parquet.ParquetWriter(folder / "test-0.parquet", schema) as writer:
        n_rows = max(n_bytes // PICTURE_BYTES, 1)
        for start in range(0, n_rows, row_group):
            rows = [question(number) for number in range(start, min(start + row_group, n_rows))]
            writer.write_table(pa.Table.from_pylist(rows, schema), row_group_size=row_group)


def question(number: int) -> dict[str, Any]:
    """Makes a row of V*'s shape."""
    return {
        "image": {"bytes": picture(), "path": f"{number}.bmp"},
        "text": "What is the color of the scarf?\n(A) red\n(B) blue",
        "label": "A",
        "question_id": str(number),
        "category": "direct_attributes",
    }


def picture() -> bytes:
    """A BMP file of random pixels, about a megabyte."""
    width, height = PICTURE_SIDES
    header = struct.pack("<2sIHHI", b"BM", 54 + PICTURE_BYTES, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, PICTURE_BYTES, 0, 0, 0, 0)
    return header + os.urandom(PICTURE_BYTES)


if __name__ == "__main__":
    sys.exit(main())
