"""Pixel Reasoner's questions for RL and conversations of its warm start."""

from __future__ import annotations

import json
from pathlib import Path

from .files import write_parquet, write_picture

OPTIONS = "\n(A) red\n(B) blue"


def write_rl(folder: Path) -> Path:
    rows = [
        {
            "question": "<image>\nWhich colour is the cup?" + OPTIONS,
            "answer": ["\\boxed{B}"],
            "image": ["images/0.jpg"],
            "is_video": None,
            "qid": "sa1brl-17",
        },
        {
            "question": "How many boats?",
            "answer": ["\\boxed{3}"],
            "image": ["images/1.jpg", "images/2.jpg"],
            "is_video": False,
            "qid": "tallyqa-18",
        },
        {
            "question": "Which year?",
            "answer": ["\\boxed{['in 1998', \"1998\"]}"],
            "image": ["images/3.jpg"],
            "is_video": None,
            "qid": "infographicsvqa-19",
        },
        {
            "question": "What happens?\n(A) a fall\n(B) a jump",
            "answer": ["\\boxed{A}"],
            "image": [f"videos/x/{frame}.jpg" for frame in range(1, 6)],
            "is_video": True,
            "qid": "starqa-20",
        },
    ]
    for row in rows:
        for number, path in enumerate(row["image"]):
            write_picture(folder / path, number)
    write_parquet(folder / "release.parquet", rows)
    return folder


def write_sft(folder: Path) -> Path:
    call = (
        '<tool_call>\n{"name": "zoom_in", "arguments": {"bbox_2d": [0.1, 0.1, 0.4, 0.4], '
        '"target_image": 1}}\n</tool_call>'
    )
    system = {"role": "system", "content": [{"text": "You are a helpful assistant."}]}
    picture = [
        system,
        {
            "role": "user",
            "content": [
                {"text": "Which colour is the cup?" + OPTIONS + "\n\nGuidelines: Look closely."},
                {"image": "images/0.jpg"},
            ],
        },
        {"role": "assistant", "content": [{"text": f"I look closer.\n{call}"}]},
        {"role": "user", "content": [{"text": "Here is the crop."}, {"image": "images/0_1.jpg"}]},
        {"role": "assistant", "content": [{"text": "It is blue: \\boxed{B}"}]},
    ]
    clip = [
        system,
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What does he do?"},
                {"type": "video", "video": [f"videos/x/{frame}.jpg" for frame in range(1, 5)]},
            ],
        },
        {"role": "assistant", "content": "He waves: \\boxed{waves}"},
    ]
    for number, path in enumerate(("0", "0_1")):
        write_picture(folder / "images" / f"{path}.jpg", number)
    for frame in range(1, 5):
        write_picture(folder / "videos" / "x" / f"{frame}.jpg", frame)
    release = [
        {"qid": "sa1b-1", "message_list": picture},
        {"qid": "star-2", "message_list": clip},
    ]
    (folder / "release.json").write_text(json.dumps(release), "utf-8")
    return folder
