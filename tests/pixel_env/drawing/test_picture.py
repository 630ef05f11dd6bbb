"""The picture of an episode: the boxes of zooms, the conversation beside them."""

import numpy as np
import pytest
from tiny_tasks import PictureTask

from pixel_env import OperationError, PixelReasoningEnv, answer, select_frames, zoom_in
from pixel_env.drawing.picture import COLOURS, NEWEST_PX, PANEL_PX, written_action


@pytest.fixture
def env(picture_task):
    env = PixelReasoningEnv(picture_task, render_mode="rgb_array", max_turns=20)
    env.reset(seed=0)
    return env


def test_nothing_is_drawn_without_a_mode(picture_task):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    assert env.render() is None


def test_a_zoom_is_outlined_where_it_was(env):
    before = env.render()
    assert before.dtype == np.uint8
    assert before.shape == (PANEL_PX, 2 * PANEL_PX, 3)
    env.step(zoom_in([0.25, 0.5, 0.5, 0.75]))
    after = env.render()
    rows, columns = np.nonzero((after[:, :PANEL_PX] == COLOURS[0]).all(-1))
    height = round(PANEL_PX * 812 / 1008)
    assert columns.min() == pytest.approx(0.25 * PANEL_PX, abs=2)
    assert columns.max() == pytest.approx(0.5 * PANEL_PX, abs=2)
    assert rows.min() == pytest.approx(0.5 * height, abs=2)
    assert rows.max() == pytest.approx(0.75 * height, abs=2)


def test_the_conversation_grows_on_the_right(env):
    before = env.render()
    env.step(zoom_in([2, 2, 2, 2]))
    after = env.render()
    assert np.array_equal(before[:, :PANEL_PX], after[:, :PANEL_PX])
    assert (after[:, PANEL_PX:] < 200).sum() > (before[:, PANEL_PX:] < 200).sum()


def test_pictures_are_of_one_size_and_the_newest_lines_stay(env):
    """Films and windows need frames of one size."""
    frames = [env.render()]
    for _ in range(18):
        env.step(zoom_in([2, 2, 2, 2]))
        frames.append(env.render())
    assert {frame.shape for frame in frames} == {(PANEL_PX, 2 * PANEL_PX, 3)}
    env.step(answer("B"))
    last = env.render()
    assert not np.array_equal(last, frames[-1])
    question = slice(0, 24)  # its rows stay too
    assert np.array_equal(last[question], frames[0][question])


def test_clips_and_faults_are_drawn(clip_task):
    env = PixelReasoningEnv(clip_task, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(select_frames([16]))
    env.step(answer("\ud800 odd"))
    assert env.render().shape[1] == 2 * PANEL_PX

    class Broken(PictureTask):
        def __getitem__(self, index):
            sample = super().__getitem__(index)
            object.__setattr__(sample.media[0], "_media", b"broken")
            return sample

    env = PixelReasoningEnv(Broken(), render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (PANEL_PX, 2 * PANEL_PX, 3)


@pytest.mark.parametrize(
    ("action", "written"),
    [
        (answer("B"), "answer 'B'"),
        (zoom_in([0, 0, 0.5, 1], 3), "zoom_in [0. , 0. , 0.5, 1. ] 3"),
        (None, "(no action)"),
        ({"operation": 9}, "(unknown operation)"),
        ({"operation": None}, "(unknown operation)"),
        (OperationError("malformed", "No."), "(a message that could not be read)"),
    ],
)
def test_actions_are_written_on_one_line(action, written):
    assert written_action(action) == written
    assert len(written_action(answer("x" * 10_000))) <= 200


def test_the_newest_view_stands_under_the_conversation(env):
    before = env.render()
    env.step(zoom_in([0, 0, 0.5, 0.5]))
    first = env.render()
    env.step(zoom_in([0.5, 0.5, 1, 1]))
    second = env.render()
    corner = np.s_[PANEL_PX - NEWEST_PX : PANEL_PX - 12, PANEL_PX + 40 : PANEL_PX + 150]
    assert (before[corner] == 255).all()
    # red rises with x and green with y: the lower right corner has more of both
    assert first[corner][..., :2].mean() < 100 < 150 < second[corner][..., :2].mean()


def test_a_small_picture_fills_its_panel():
    env = PixelReasoningEnv(
        PictureTask(width=112, height=112), render_mode="rgb_array", overview_px=(784, 12544)
    )
    env.reset(seed=0)
    panel = env.render()[:, :PANEL_PX]
    assert (panel[:448, :448] != 240).any(axis=2).all()
    red = panel[200, 2:446, 0].astype(int)
    assert red[0] < 8
    assert red[-1] > 247
