"""TallyQA: the authors' files, the copy in a parquet, and Pixel Reasoner's evaluation set."""

from __future__ import annotations

import json
from pathlib import Path

from .files import HUB_PICTURE, hub_picture, write_parquet, write_picture

QUESTIONS = (
    # picture, question, answer, data_source, issimple
    ("VG_100K_2/2410408.jpg", "How many dogs are there?", 4, "imported_genome", True),
    ("VG_100K_2/2410408.jpg", "How many dogs wear a collar?", 1, "amt", False),
    ("val2014/COCO_val2014_000000000042.jpg", "How many kites fly?", 0, "imported_vqa", True),
    ("val2014/COCO_val2014_000000000042.jpg", "How many people look up?", 12, "amt", True),
    ("VG_100K/2317.jpg", "How many of the cars are parked?", 3, "generated", False),
)
IDS = tuple(str(30_095_774 + number) for number in range(len(QUESTIONS)))


def write_authors(folder: Path, split: str = "test") -> Path:
    rows = []
    for number, (image, question, answer, source, is_simple) in enumerate(QUESTIONS):
        row = {
            "answer": answer,
            "data_source": source,
            "image": image,
            "image_id": 92_410_408 + number,
            "question": question,
            "question_id": int(IDS[number]),
        }
        rows.append({**row, "issimple": is_simple} if split == "test" else row)
    for number, image in enumerate(pictures()):
        write_picture(folder / image, number)
    (folder / f"{split}.json").write_text(json.dumps(rows), "utf-8")
    return folder


def pictures() -> list[str]:
    """The pictures, each once, in order."""
    return list(dict.fromkeys(image for image, *_ in QUESTIONS))


def write_copy(folder: Path) -> Path:
    """`vikhyatk/tallyqa-test`: one row a picture; an answer may be text."""
    rows = []
    for number, image in enumerate(pictures()):
        qa = [
            {"question": q, "answer": str(a), "is_simple": simple, "data_source": source}
            for own, q, a, source, simple in QUESTIONS
            if own == image
        ]
        rows.append({"image": hub_picture(number), "qa": qa})
    write_parquet(folder / "data" / "test-00000-of-00002.parquet", rows[:2], image=HUB_PICTURE)
    write_parquet(folder / "data" / "test-00001-of-00002.parquet", rows[2:], image=HUB_PICTURE)
    return folder


def write_released(folder: Path) -> Path:
    """Pixel Reasoner's: pictures in `images/`, boxed answers, a literal mark before questions."""
    rows = []
    for number, (_, question, answer, _, _) in enumerate(QUESTIONS):
        image = f"images/{number}.jpg"
        write_picture(folder / image, number)
        rows.append(
            {
                "question": f"<image>\n{question}",
                "answer": [f"\\boxed{{{answer}}}"],
                "image": [image],
                "qid": f"TallyQA-{number}",
            }
        )
    write_parquet(folder / "tallyqa_mini3200.parquet", rows)
    return folder
