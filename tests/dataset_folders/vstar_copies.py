"""V* Bench with the pictures in a parquet, made from a folder of the authors' layout."""

from __future__ import annotations

import json
from pathlib import Path

from .files import HUB_PICTURE, write_parquet


def _rows(authors: Path):
    for line in (authors / "test_questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        image = {"bytes": (authors / row["image"]).read_bytes(), "path": Path(row["image"]).name}
        yield row, image


def write_lmms_lab(folder: Path, authors: Path) -> Path:
    """`lmms-lab/vstar-bench`: image, text, label, question_id, category."""
    names = ("text", "label", "question_id", "category")
    rows = [
        {"image": image, **{name: row[name] for name in names}} for row, image in _rows(authors)
    ]
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", rows, image=HUB_PICTURE)
    return folder


def write_ohjoonhee(folder: Path, authors: Path) -> Path:
    """`ohjoonhee/vstar_bench`: the answer is the right choice's index."""
    rows = []
    for row, image in _rows(authors):
        question, *options = row["text"].split("\n")[:-1]
        rows.append(
            {
                "image": image,
                "category": row["category"],
                "question_id": int(row["question_id"]),
                "question": question,
                "choices": [option[4:] for option in options],
                "answer": "ABCD".index(row["label"]),
            }
        )
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", rows, image=HUB_PICTURE)
    return folder


def write_released(folder: Path, authors: Path) -> Path:
    """Pixel Reasoner's evaluation set."""
    rows = []
    for number, (row, image) in enumerate(_rows(authors)):
        path = folder / "images" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image["bytes"])
        rows.append(
            {
                "question": "<image>\n" + row["text"].rpartition("\n")[0],
                "answer": [f"\\boxed{{{row['label']}}}"],
                "image": [f"images/{number}.jpg"],
                "qid": f"vstar-{number}",
                "is_video": None if number % 2 else False,
            }
        )
    write_parquet(folder / "vstar.parquet", rows)
    return folder
