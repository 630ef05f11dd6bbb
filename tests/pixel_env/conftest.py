"""A task small enough to see through: which letter is on the wall, and a clip of grey frames."""

import numpy as np
import pytest

from pixel_env import ClipSource, Grade, ImageSource, PixelReasoningEnv, Sample, Task
from pixel_env.vector import PixelReasoningVectorEnv


class TinyTask(Task):
    """Four pictures and one clip; the right answer is always the second option."""

    name = "tiny"

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        if index == 4:
            media = (ClipSource(rng.integers(0, 256, (20, 60, 80, 3), dtype=np.uint8)),)
        else:
            media = (ImageSource(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)),)
        return Sample(
            id=f"tiny-{index}",
            question="Which letter?",
            media=media,
            answers=("no",),
            choices=("yes", "no"),
            right_choice=1,
        )

    def grade(self, sample, answer):
        correct = sample.choices["AB".index(answer)] == "no" if answer in {"A", "B"} else False
        return Grade(float(correct), correct, answer or None)


def settings():
    small = (4 * 784, 16 * 784)
    return {"overview_px": small, "crop_px": small, "frame_px": small, "option_order": "as_given"}


@pytest.fixture
def make_env():
    """Makes a small environment, with settings as given."""

    def make(**changes):
        return PixelReasoningEnv(TinyTask(), **(settings() | changes))

    return make


@pytest.fixture
def make_vector():
    """Makes lanes of small environments."""

    def make(n_lanes, wrapper=lambda env: env, **changes):
        task = TinyTask()
        return PixelReasoningVectorEnv(
            [lambda: wrapper(PixelReasoningEnv(task, **(settings() | changes)))] * n_lanes,
            autoreset_mode="Disabled",
        )

    return make
