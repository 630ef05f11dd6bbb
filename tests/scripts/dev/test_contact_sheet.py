"""The contact sheet in the documents is what the script draws."""

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]


def test_the_sheet_in_the_documents_is_current(tmp_path):
    script = runpy.run_path(str(ROOT / "scripts" / "dev" / "contact_sheet.py"))
    script["main"](tmp_path / "drawn.png")
    drawn, kept = (
        np.asarray(Image.open(path)).astype(int)
        for path in (tmp_path / "drawn.png", ROOT / "docs/pictures/twins.png")
    )
    assert drawn.shape == kept.shape
    difference = abs(drawn - kept)
    assert difference.mean() < 0.5  # another Pillow writes in another font,
    assert np.median(difference) == 0  # another encoder rounds in another way
    assert (ROOT / "docs/pictures/twins.png").stat().st_size < 400_000
