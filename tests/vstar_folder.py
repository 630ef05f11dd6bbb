"""Writes a V* Bench folder of exactly the published shape, with small generated pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

SIZE = (320, 240)
BOXES = {
    "direct_attributes": [[250, 180, 20, 12]],
    "relative_position": [[16, 24, 10, 8], [40, 24, 8, 8]],
}
COLOURS = ("red", "green", "blue", "white")
INSTRUCTION = "Answer with the option's letter from the given choices directly."


def write_vstar(folder: Path, n_attributes: int = 3, n_positions: int = 2) -> Path:
    """Writes `n_attributes` + `n_positions` questions; right letters go round the options."""
    (folder / "GPT4V-hard").mkdir(parents=True)
    for number in range(n_attributes):
        right = number % 4
        add_row(
            folder,
            number,
            "direct_attributes",
            f"What is the color of thing {number}?",
            COLOURS,
            right,
        )
    for number in range(n_attributes, n_attributes + n_positions):
        options = (f"Thing {number} is on the left.", f"Thing {number} is on the right.")
        add_row(
            folder, number, "relative_position", f"Where is thing {number}?", options, number % 2
        )
    return folder


def add_row(folder, number, category, question, options, right, **columns: Any) -> None:
    """Adds one question with its picture and annotation; `columns` overwrite the row's own."""
    image = f"{category}/sa_{4690 + number}.jpg"
    lines = [
        question,
        *(f"({letter}) {text}" for letter, text in zip("ABCD", options, strict=False)),
        INSTRUCTION,
    ]
    row = {
        "image": image,
        "text": "\n".join(lines),
        "category": category,
        "question_id": str(number),
        "label": "ABCD"[right],
        **columns,
    }
    (folder / category).mkdir(exist_ok=True)
    picture = Image.new("RGB", SIZE, (90, 120, 90))
    for x, y, width, height in BOXES[category]:
        ImageDraw.Draw(picture).rectangle(
            (x, y, x + width - 1, y + height - 1), fill=COLOURS[right]
        )
    picture.save(folder / image, quality=90)
    right_first = [options[right], *(o for i, o in enumerate(options) if i != right)]
    annotation = {
        "target_object": [f"thing {number}"] * len(BOXES[category]),
        "bbox": BOXES[category],
        "question": question,
        "options": right_first,
    }
    (folder / image).with_suffix(".json").write_text(json.dumps(annotation), "utf-8")
    with (folder / "test_questions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
