"""InfographicsVQA: the authors' files, the copy in a parquet, Pixel Reasoner's evaluation set."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from .files import HUB_PICTURE, hub_picture, write_parquet, write_picture

QUESTIONS = (
    (98_313, "What share of users are 18-24?", ["27%", "27 %"], ["single span"]),
    (98_314, "Which two brands lead?", ["acme, zeta", "zeta, acme"], ["multi-span"]),
    (98_315, "How many more in 2012 than in 2010?", ["14"], ["non-extractive"]),
)
FILES = {
    "train": "infographicsVQA_train_v1.0.json",
    "val": "infographicsVQA_val_v1.0_withQT.json",
    "test": "infographicsVQA_test_v1.0.json",
}


def write_authors(folder: Path, split: str = "val", images: str = "images") -> Path:
    data = []
    for number, (question_id, question, answers, answer_type) in enumerate(QUESTIONS):
        name = f"{37_313 + number}.jpeg"
        write_picture(folder / images / name, number)
        item = {
            "questionId": question_id,
            "question": question,
            "image_local_name": name,
            "image_url": f"https://example.org/{name}",
            "ocr_output_file": f"{37_313 + number}.json",
            "data_split": split,
        }
        if split != "test":
            item["answers"] = answers
        if split == "val":
            item |= {
                "answer_type": answer_type,
                "evidence": ["text"],
                "operation/reasoning": [],
            }
        data.append(item)
    whole = {
        "dataset_name": "infographicVQA",
        "dataset_version": "1.0",
        "dataset_split": split,
        "data": data,
    }
    (folder / FILES[split]).write_text(json.dumps(whole), "utf-8")
    return folder


def write_copy(folder: Path, split: str = "validation", below: str = "InfographicVQA") -> Path:
    """`lmms-lab/DocVQA`, config InfographicVQA."""
    rows = [
        {
            "questionId": str(question_id),
            "question": question,
            "answers": None if split == "test" else answers,
            "answer_type": None if split == "test" else answer_type,
            "image": hub_picture(number),
            "image_url": "https://example.org",
            "operation/reasoning": None,
            "ocr": "x" * 1000,
            "data_split": "val",
        }
        for number, (question_id, question, answers, answer_type) in enumerate(QUESTIONS)
    ]
    texts = pa.list_(pa.string())
    write_parquet(
        folder / below / f"{split}-00000-of-00001.parquet",
        rows,
        image=HUB_PICTURE,
        answers=texts,
        answer_type=texts,
        **{"operation/reasoning": texts},
    )
    return folder


def write_released(folder: Path) -> Path:
    """Pixel Reasoner's: several accepted answers are a Python-style list inside the box."""
    rows = []
    for number, (_, question, answers, _) in enumerate(QUESTIONS):
        image = f"images/{number}.jpeg"
        write_picture(folder / image, number)
        rows.append(
            {
                "question": question,
                "answer": [f"\\boxed{{{answers!r}}}"],
                "image": [image],
                "qid": f"infographicsvqa-{number}",
            }
        )
    write_parquet(folder / "infographics.parquet", rows)
    return folder
