"""Pixel Reasoner's questions for RL and conversations of its warm start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

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


QUARTERS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0))
"""Colours of a picture's quarters, in reading order."""


def write_quarters(path: Path, side: int = 224) -> None:
    """A square of four quarters of one colour each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (side, side))
    for number, colour in enumerate(QUARTERS):
        left, top = number % 2 * side // 2, number // 2 * side // 2
        picture.paste(colour, (left, top, left + side // 2, top + side // 2))
    picture.save(path, "PNG")


def zoom_call(*box: float, image: int = 1, name: str = "crop_image_normalized") -> str:
    """A thought and a call, in the words of the release."""
    call = f'{{"name": "{name}", "arguments": {{"bbox_2d":{list(box)},"target_image":{image}}}}}'
    return f"I look closer.\n\n<tool_call>\n{call}\n</tool_call>"


def select_call(*frames: int) -> str:
    call = f'{{"name": "select_frames", "arguments": {{"target_frames": {list(frames)}}}}}'
    return f"These frames tell.\n<tool_call>\n{call}\n</tool_call>"


def recorded(*said: str, clip: int = 0) -> list[dict[str, Any]]:
    """A conversation as the hub's file has it: every piece with all its keys, most of them null.

    The question has options where the first picture is shown, and none for a clip of `clip`
    frames. Calls are answered with a picture that no operation on the first one could give.
    """

    def piece(**held: Any) -> dict[str, Any]:
        return {"text": None, "image": None, "video": None} | held

    frames = [f"videos/clip/{number}.png" for number in range(1, clip + 1)]
    choices = "" if clip else "\nchoices:\nA: red\nB: blue"
    asked = f"Which colour is the cup?{choices}\n\nGuidelines: Understand the given visual ..."
    shown = piece(video=frames) if clip else piece(image="images/quarters.png")
    messages = [
        {"role": "system", "content": [piece(text="You are a helpful assistant.\n\n# Tools ...")]},
        {"role": "user", "content": [piece(text=asked), shown]},
    ]
    answer = [piece(text="\nHere is the cropped image:"), piece(image="images/recorded.png")]
    for number, text in enumerate(said):
        if number:
            messages.append({"role": "user", "content": answer})
        messages.append({"role": "assistant", "content": [piece(text=text)]})
    return messages


def write_recorded(folder: Path, conversations: dict[str, list[dict[str, Any]]]) -> Path:
    """A release of conversations by `qid`, with every picture that `recorded` names."""
    write_quarters(folder / "images" / "quarters.png")
    write_picture(folder / "images" / "recorded.png", 7)
    for number in range(1, 19):
        write_picture(folder / "videos" / "clip" / f"{number}.png", number)
    release = [{"qid": qid, "message_list": held} for qid, held in conversations.items()]
    (folder / "release.json").write_text(json.dumps(release), "utf-8")
    return folder
