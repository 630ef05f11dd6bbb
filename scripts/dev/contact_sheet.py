"""Draws the contact sheet of docs/twins.md: a hard question of each twin, before and after a call.

python scripts/dev/contact_sheet.py docs/pictures/twins.png
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
from PIL import Image, ImageDraw

import pixel_env
from pixel_env.agents.policies.demonstration import plan_operations, right_answer
from pixel_env.media.geometry import Box
from pixel_env.tasks.synthetic.lettering import fitting_size, font

SAMPLES = {
    "SyntheticSearch": 3,
    "SyntheticCounting": 6,
    "SyntheticInfographic": 1,
    "SyntheticClip": 8,
}
"""The sample of the test split, hard questions only, that is drawn of each."""

CELL_PX = 448
"""Side of the square that a view is shown in; whole factors enlarge a small one."""

GAP_PX = 28
FRAME_GAP_PX = 10
HEAD_PX = 72

GROUND = (250, 249, 246)
INK = (34, 38, 52)
FAINT = (112, 116, 130)
MARK = (226, 60, 70)


@dataclass(frozen=True)
class Row:
    """One twin on the sheet.

    Attributes:
        name: of the task set.
        question: the question.
        answer: the right answer.
        before: what is shown first, with the zoom outlined.
        after: what the call gives.
    """

    name: str
    question: str
    answer: str
    before: Image.Image
    after: Image.Image


def main(path: Path) -> None:
    """Zooms on the evidence of one sample of each twin, and draws what was seen."""
    rows = [row(name, index) for name, index in SAMPLES.items()]
    width = 2 * CELL_PX + 3 * GAP_PX
    sheet = Image.new("RGB", (width, GAP_PX + len(rows) * (CELL_PX + HEAD_PX + GAP_PX)), GROUND)
    pen = ImageDraw.Draw(sheet)
    top = GAP_PX
    for each in rows:
        pen.text((GAP_PX, top), each.name, INK, font(26))
        pen.text((2 * GAP_PX + CELL_PX, top + 36), "after one look:", FAINT, font(20))
        pen.text((2 * GAP_PX + CELL_PX + 150, top + 36), each.answer, INK, font(20))
        size = fitting_size(each.question, 20, CELL_PX)
        pen.text((GAP_PX, top + 36), each.question, FAINT, font(size))
        for column, picture in enumerate((each.before, each.after)):
            left = GAP_PX + column * (CELL_PX + GAP_PX) + (CELL_PX - picture.width) // 2
            sheet.paste(picture, (left, top + HEAD_PX + (CELL_PX - picture.height) // 2))
        top += CELL_PX + HEAD_PX + GAP_PX
    sheet.save(path, optimize=True)


def row(name: str, index: int) -> Row:
    """Zooms on the evidence of one sample."""
    env = gym.make(f"PixelReason-{name}-v0", split="test", category="hard")
    env.reset(options={"index": index})
    inner = env.unwrapped
    if not isinstance(inner, pixel_env.PixelReasoningEnv):
        raise TypeError(f"expected a PixelReasoningEnv, got {inner}")
    sample, shown = inner.sample, inner.views
    action = plan_operations(sample, shown)[0]
    if len(shown) > 1:
        action = pixel_env.select_frames([action["target_image"]])
    env.step(action)
    seen = inner.views[-1]
    frames = [image_of(view) for view in shown]
    if len(shown) > 1:
        marked = seen.parent or 1
        outline(frames[marked - 1], (0.0, 0.0, 1.0, 1.0))
        before = mosaic(frames)
    else:
        before = enlarged(frames[0])
        outline(before, seen.box)
    answer = right_answer(sample)
    return Row(name, sample.question, answer, before, enlarged(image_of(seen)))


def image_of(view: pixel_env.View) -> Image.Image:
    """Returns a view as a picture."""
    return Image.fromarray(view.image)


def enlarged(picture: Image.Image) -> Image.Image:
    """Enlarges a picture by the largest whole factor that fits into a cell."""
    factor = max(CELL_PX // max(picture.size), 1)
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST)


def mosaic(frames: list[Image.Image]) -> Image.Image:
    """Puts the frames of a clip side by side, in rows."""
    columns = math.ceil(math.sqrt(len(frames)))
    width, height = (side + FRAME_GAP_PX for side in frames[0].size)
    rows = math.ceil(len(frames) / columns)
    size = (columns * width - FRAME_GAP_PX, rows * height - FRAME_GAP_PX)
    sheet = Image.new("RGB", size, GROUND)
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number % columns * width, number // columns * height))
    return sheet


def outline(picture: Image.Image, box: Box) -> None:
    """Outlines a box, fractions of a picture."""
    x1, y1, x2, y2 = box
    corners = [x1 * picture.width, y1 * picture.height, x2 * picture.width, y2 * picture.height]
    ImageDraw.Draw(picture).rectangle(
        [corners[0], corners[1], corners[2] - 1, corners[3] - 1], outline=MARK, width=3
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
