"""Two tiny tasks of synthetic media for the tests, one of pictures and one of clips."""

import numpy as np

from pixel_env import ClipSource, Evidence, Grade, ImageSource, Sample, Task


def quadrants(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Makes a picture whose pixel at (x, y) tells where it is: red rises with x, green with y."""
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    blue = np.full((height, width), 40 * seed % 256)
    return np.stack([x, y, blue], axis=-1).round().astype(np.uint8)


class PictureTask(Task):
    """Five pictures of 1000 x 800 with four options each; the last option of the row is right."""

    name = "pictures"

    def __init__(self, n: int = 5, width: int = 1000, height: int = 800) -> None:
        self.n, self.width, self.height = n, width, height

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self.n:
            raise IndexError(index)
        source = ImageSource(quadrants(self.width, self.height, index), f"picture {index}")
        return Sample(
            id=f"picture-{index}",
            question=f"What is hidden in picture {index}?",
            media=(source,),
            answers=(f"secret-{index}",),
            choices=("first", "second", "third", f"secret-{index}"),
            right_choice=3,
            category="hidden",
            evidence=(Evidence((0.7, 0.7, 0.8, 0.8)),),
            origin=f"rows.jsonl, row {index}",
        )

    def grade(self, sample: Sample, answer: str) -> Grade:
        right = answer == "ABCD"[sample.right_choice] or answer in sample.answers
        return Grade(float(right), right, answer or None)


class ClipTask(Task):
    """Three clips of 40 frames, 320 x 240; frame i (from 1) is all grey of value 5 * i."""

    name = "clips"

    def __init__(self, n_frames: int = 40) -> None:
        self.n_frames = n_frames

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Sample:
        frames = [np.full((240, 320, 3), 5 * i, np.uint8) for i in range(1, self.n_frames + 1)]
        return Sample(
            id=f"clip-{index}",
            question="How bright does it get?",
            media=(ClipSource(frames, f"clip {index}"),),
            answers=("very",),
        )

    def grade(self, sample: Sample, answer: str) -> Grade:
        right = answer in sample.answers
        return Grade(float(right), right, answer or None)
