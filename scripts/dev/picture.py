"""Draws the picture in README: one episode of SyntheticSearch, every view as the policy gets it.

python scripts/dev/picture.py docs/pictures/search.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
from PIL import Image, ImageDraw

import pixel_env
from pixel_env.drawing.picture import NEWEST_PX, PANEL_PX
from pixel_env.media.rgb import Image as RGB

INDEX = 3
"""The sample of the test split that is drawn."""

ENLARGED = 4
"""Pixels of the drawing for each pixel of a view, along each side."""


def main(path: Path) -> None:
    """Zooms on the evidence, answers right, and writes the views beside the conversation."""
    env = gym.make(
        "PixelReason-SyntheticSearch-v0", split="test", category="hard", render_mode="rgb_array"
    )
    env.reset(options={"index": INDEX})
    inner = env.unwrapped
    if not isinstance(inner, pixel_env.PixelReasoningEnv):
        raise TypeError(f"expected a PixelReasoningEnv, got {inner}")
    env.step(pixel_env.zoom_in(np.round(inner.sample.evidence[0].box, 2)))
    env.step(pixel_env.answer(inner.sample.answers[0]))
    pictures = [enlarged(view.image) for view in inner.views]
    pen = ImageDraw.Draw(pictures[0])
    corners = np.array(inner.views[1].box) * pictures[0].width
    pen.rectangle([float(corner) for corner in corners], outline=(255, 255, 255), width=3)
    talk = Image.fromarray(np.asarray(env.render())[:, -PANEL_PX:])
    height = max(picture.height for picture in pictures)
    sheet = Image.new("RGB", (PANEL_PX + sum(each.width + 8 for each in pictures), height), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + 8
    sheet.paste(talk.crop((0, 0, PANEL_PX, PANEL_PX - NEWEST_PX - 12)), (left, 0))
    sheet.save(path, optimize=True)


def enlarged(image: RGB) -> Image.Image:
    """Returns a view with every pixel as a square of its own."""
    height, width, _ = image.shape
    size = (width * ENLARGED, height * ENLARGED)
    return Image.fromarray(image).resize(size, Image.Resampling.NEAREST)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
