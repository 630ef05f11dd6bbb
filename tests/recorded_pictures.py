"""A folder of recorded episodes of the tiny task of pictures."""

import json
from pathlib import Path

from tiny_tasks import PictureTask

from pixel_env import PixelReasoningEnv
from pixel_env.wrappers import RecordTrajectories, TextAction

SMALL = {"overview_px": (784, 9000), "crop_px": (784, 9000)}
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def call(box, image=1):
    """Writes a zoom."""
    arguments = {"bbox_2d": box, "target_image": image}
    body = json.dumps({"name": "crop_image_normalized", "arguments": arguments})
    return f"Let me zoom. <tool_call>{body}</tool_call>"


def record(folder: Path) -> Path:
    """Writes episodes: one zoom and right, two and wrong, one refused, and HTML in messages."""
    env = RecordTrajectories(TextAction(PixelReasoningEnv(PictureTask(), **SMALL)), folder)
    right = PictureTask()[0].answers[0]
    for messages in (
        [call([0.25, 0.25, 0.5, 0.75]), rf"\boxed{{{right}}}"],
        [call([0, 0, 0.5, 0.5]), call([0.5, 0.5, 1, 1], image=2), r"\boxed{no}"],
        [call([0.9, 0.9, 0.1, 0.1]), r"\boxed{no}"],
        [EVIL + r" \boxed{no}"],
    ):
        env.reset(options={"index": 0})
        for message in messages:
            env.step(message)
    return folder
