"""The picture in README is what the script draws."""

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
VIEWS_PX = 2 * 4 * 112
"""Width of the two views; the conversation beside them depends on Pillow's font."""


def test_the_picture_in_the_documents_is_current(tmp_path):
    script = runpy.run_path(str(ROOT / "scripts" / "dev" / "picture.py"))
    script["main"](tmp_path / "drawn.png")
    drawn, kept = (
        np.asarray(Image.open(path))
        for path in (tmp_path / "drawn.png", ROOT / "docs/pictures/search.png")
    )
    assert drawn.shape == kept.shape
    assert np.array_equal(drawn[:, :VIEWS_PX], kept[:, :VIEWS_PX])
    assert (ROOT / "docs/pictures/search.png").stat().st_size < 200_000
