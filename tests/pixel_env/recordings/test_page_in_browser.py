"""The page as a browser shows it: boxes lie on what they were drawn around."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from pixel_env.recordings import page, read_episodes

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

FRAME = (255, 176, 0)
"""The colour that boxes are drawn in."""

RED, BLUE = (200, 0, 0), (20, 90, 200)

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium to show the page")


def recorded(folder, size):
    """Writes an episode that zoomed into the red rectangle of a blue picture."""
    width, height = size
    picture = Image.new("RGB", size, BLUE)
    picture.paste(RED, (width // 2, height // 4, width * 3 // 4, height // 2))
    (folder / "images").mkdir(parents=True)
    picture.save(folder / "images" / "a.png")
    turn = {"target_image": 1, "executed_box": [0.5, 0.25, 0.75, 0.5], "images": []}
    record = {
        "question": "Which colour?",
        "first": {"images": ["images/a.png"], "first_image": 1},
        "turns": [turn],
    }
    (folder / "trajectories.jsonl").write_text(json.dumps(record) + "\n")


def screenshot(folder, text):
    """Shows a page with its episodes unfolded, and returns the pixels."""
    (folder / "page.html").write_text(text.replace("<details ", "<details open "))
    subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000"),
            *("--force-device-scale-factor=1", "--window-size=1300,2600"),
            *(f"--screenshot={folder / 'shot.png'}", (folder / "page.html").as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with Image.open(folder / "shot.png") as shot:
        return np.asarray(shot.convert("RGB")).astype(int)


def edges(pixels, colour):
    """Returns (left, top, right, bottom) of what has a colour."""
    rows, columns = np.nonzero(np.abs(pixels - colour).max(axis=2) < 12)
    return columns.min(), rows.min(), columns.max(), rows.max()


@pytest.mark.parametrize("size", [(1200, 800), (300, 200), (400, 1600)])
@pytest.mark.parametrize("linked", [True, False])
def test_boxes_lie_on_the_picture_whatever_its_width(tmp_path, size, linked):
    recorded(tmp_path, size)
    text = page(read_episodes(tmp_path), tmp_path, "Episodes", tmp_path if linked else None)
    pixels = screenshot(tmp_path, text)
    left, top, right, bottom = edges(pixels, BLUE)
    shown = np.array([right - left, bottom - top])
    scales = shown / size
    assert np.abs(scales - scales[0]).max() < 0.01  # the picture is there, undistorted
    assert shown[0] <= 34 * 16
    wanted = np.array([0.5, 0.25, 0.75, 0.5]) * np.tile(shown, 2) + np.tile([left, top], 2)
    assert np.abs(edges(pixels, FRAME) - wanted).max() <= 2.5
    _, _, right, bottom = edges(pixels, FRAME)
    assert np.abs(pixels[bottom - 5, right - 5] - RED).max() < 12  # the pixel within its corner
