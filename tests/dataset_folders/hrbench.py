"""HR-Bench: one parquet a split, pictures as base64, each question once an order of options."""

from __future__ import annotations

from pathlib import Path

from .files import base64_picture, write_parquet

WORDS = ("red", "green", "blue", "white")
FILES = {"hrbench_4k": "hr_bench_4k.parquet", "hrbench_8k": "hr_bench_8k.parquet"}


def write_hrbench(folder: Path, split: str = "hrbench_4k", n_questions: int = 2) -> Path:
    """Four rows a question; in the order `cycle` the first word stands at A, B, C, D in turn."""
    rows = []
    for question in range(n_questions):
        for cycle in range(4):
            options = [WORDS[(place - cycle) % 4] for place in range(4)]
            rows.append(
                {
                    "index": len(rows),
                    "question": f"What is the color of thing {question}?",
                    "answer": "ABCD"[options.index(WORDS[0])],
                    "category": ("single", "cross")[question % 2],
                    **dict(zip("ABCD", options, strict=True)),
                    "cycle_category": str(cycle),
                    "image": base64_picture(question),
                }
            )
    write_parquet(folder / FILES[split], rows, row_group_size=3)
    return folder
