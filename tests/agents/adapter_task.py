"""A task whose answer stands nowhere but in the sample; its last samples are at fault.

Importing this registers its id.
"""

import numpy as np

from pixel_env import (
    ClipSource,
    DataError,
    Evidence,
    Grade,
    ImageSource,
    Sample,
    Task,
    register_task,
)

SECRET = "xylophone-4711"
CLIP, UNREADABLE, UNGRADABLE = 2, 3, 4
PLACE = "rows.jsonl, row 5"
SMALL = {"overview_px": [12544, 25088], "crop_px": [12544, 25088], "frame_px": [3136, 6272]}
"""Arguments that keep pictures small."""


class SecretTask(Task):
    """Two pictures, a clip, a sample that can't be read, and one that can't be graded."""

    name = "secrets"

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < 5:
            raise IndexError(index)
        if index == UNREADABLE:
            raise DataError(f"{PLACE}: the picture is cut off")
        rng = np.random.default_rng(index)
        pixels = rng.integers(0, 256, (20, 90, 120, 3), dtype=np.uint8)
        media = ClipSource(pixels) if index == CLIP else ImageSource(pixels[0].repeat(3, 0))
        return Sample(
            id=f"secret-sample-{index}",
            question=f"What is hidden in sample {index}?",
            media=(media,),
            answers=(SECRET,),
            evidence=(Evidence((0.71, 0.72, 0.83, 0.84)),),
        )

    def grade(self, sample: Sample, answer: str) -> Grade:
        if sample.id.endswith(str(UNGRADABLE)):
            raise DataError(f"{PLACE}: the accepted answer is no text")
        right = answer == SECRET
        return Grade(float(right), right, answer or None)


ID = register_task("Secrets", SecretTask)
