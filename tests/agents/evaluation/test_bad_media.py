"""Evaluation over media that can't be read: noted, left out of accuracy, counted, and gone past."""

import io

import numpy as np
import pytest
from pictures import png
from PIL import Image
from videos import grey_pictures, moving_pictures, write_video

from pixel_env import ClipSource, Grade, ImageSource, Sample, Task
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy


class MixedTask(Task):
    """One row a file of a folder, in the order of names; those called "clip_*" are clips."""

    name = "mixed"

    def __init__(self, folder):
        self.folder = folder
        self.paths = sorted(folder.iterdir())

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        kind = ClipSource if path.name.startswith("clip") else ImageSource
        media = kind(path, f"{path} (row {index + 1})")
        return Sample(path.name, "Which one?", (media,), ("this",), ("this", "that"), 0)

    def grade(self, sample, answer):
        right = answer == "AB"[sample.right_choice]
        return Grade(float(right), right, answer)


def fill(folder):
    """Writes five files that can be read and seven that can't."""
    good = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    for name in ("good_1.png", "good_2.jpg", "good_3.gif"):
        good.save(folder / name)
    good.convert("CMYK").save(folder / "good_4.jpg")
    write_video(folder / "clip_good.mp4", grey_pictures(range(0, 200, 5)))
    jpeg = io.BytesIO()
    Image.fromarray(moving_pictures(1, 400, 300)[0]).save(jpeg, "JPEG")
    (folder / "bad_cut.jpg").write_bytes(jpeg.getvalue()[:900])
    (folder / "bad_empty.png").write_bytes(b"")
    (folder / "bad_link.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "bad_large.png").write_bytes(png(30_000, 30_000, 1, 0, b""))
    streamed = {"movflags": "faststart"}
    write_video(folder / "clip_cut.mp4", grey_pictures(range(40)), container_options=streamed)
    whole = (folder / "clip_cut.mp4").read_bytes()
    (folder / "clip_cut.mp4").write_bytes(whole[: len(whole) - 300])
    (folder / "clip_folder").mkdir()
    for number in range(1, 4):
        (folder / "clip_folder" / f"{number}.jpg").write_bytes(jpeg.getvalue()[: 900 * number])
    (folder / "clip_text.mp4").write_text("not found")


@pytest.mark.parametrize("lanes", [1, 5])
def test_what_can_not_be_read_is_left_out_counted_and_gone_past(tmp_path, register, lanes):
    folder = tmp_path / "media"
    folder.mkdir()
    fill(folder)
    env_id = register("Mixed", MixedTask, folder=folder)
    run = EvaluationConfig(env_id, lanes=lanes, out=tmp_path / "out")
    evaluation = evaluate(make_policy("demonstration"), run)
    faults = {r.sample_id: r.env_error for r in evaluation.results if r.env_error}
    names = {path.name: i for i, path in enumerate(sorted(folder.iterdir()), 1)}
    bad = {name for name in names if name.startswith("bad") or name in ("clip_text.mp4",)}
    assert set(faults) == bad | {"clip_cut.mp4", "clip_folder"}
    for name, fault in faults.items():
        assert f"{name} (row {names[name]})" in fault
    assert "frame" in faults["clip_cut.mp4"]
    assert "frame 1 (1.jpg)" in faults["clip_folder"]
    assert "decompression bomb" in faults["bad_large.png"]
    scores = evaluation.overall
    assert (scores.n, scores.n_env_errors) == (5, 7)
    assert scores.accuracy.mean == 1
    written = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Left out, because the data could not be read" in written
