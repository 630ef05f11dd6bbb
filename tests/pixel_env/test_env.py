"""The environment's contract: seeds, turns, rewards, infos, faults of the data."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from tiny_tasks import ClipTask, PictureTask

from pixel_env import (
    ConfigError,
    DataError,
    EnvConfig,
    ImageSource,
    PixelReasoningEnv,
    Sample,
    answer,
    select_frames,
    zoom_in,
)

HALF = [0, 0, 0.5, 0.5]


class Faulty(PictureTask):
    """Sample 0 is whole, 1 has a broken picture, row 2 can't be used, 3 breaks when zoomed."""

    name = "faulty"

    def __init__(self):
        super().__init__(n=4)
        self.n_reads = 0

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        media = {1: ImageSource(b"broken", "broken.jpg"), 3: ImageSource(self.breaks, "late.jpg")}
        if index == 2:
            raise DataError("rows.jsonl, row 2: no column question")
        changes = {"media": (media[index],)} if index in media else {}
        return Sample(**{name: getattr(sample, name) for name in Sample.__slots__} | changes)

    def breaks(self):
        self.n_reads += 1
        if self.n_reads > 1:
            raise OSError("gone")
        return np.zeros((80, 100, 3), np.uint8)


@pytest.mark.parametrize("task", [PictureTask, ClipTask])
@pytest.mark.parametrize("settings", [{}, {"preset": "pixel-reasoner"}, {"max_views": 30}])
def test_check_env_is_silent(register, task, settings):
    env_id = register("Checked", task)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(env_id, render_mode="rgb_array", **settings)
        check_env(env.unwrapped)
        env.close()


def play(env, seed):
    yield env.reset(seed=seed)
    for action in (zoom_in(HALF), zoom_in([0.5, 0.5, 1, 1], 2), zoom_in([2, 2, 2, 2]), answer("B")):
        yield env.step(action)
    yield env.reset()


def test_one_seed_gives_one_rollout_bit_for_bit(picture_task):
    first = list(play(PixelReasoningEnv(picture_task), 7))
    second = list(play(PixelReasoningEnv(PictureTask()), 7))
    assert data_equivalence(first, second, exact=True)


def test_reset_without_a_seed_visits_every_sample_once_a_pass(picture_task):
    env = PixelReasoningEnv(picture_task)
    ids = [env.reset(seed=5)[1]["sample_id"]]
    ids += [env.reset()[1]["sample_id"] for _ in range(14)]
    passes = [tuple(ids[start : start + 5]) for start in (0, 5, 10)]
    assert all(len(set(each)) == 5 for each in passes)
    assert len(set(passes)) > 1


def test_different_seeds_give_different_orders():
    env = PixelReasoningEnv(PictureTask(n=1_000_000, width=40, height=40))
    ids = {env.reset(seed=seed)[1]["sample_id"] for seed in range(20)}
    assert len(ids) == 20


def test_options_pick_a_sample_by_index_or_id(picture_task):
    env = PixelReasoningEnv(picture_task)
    assert env.reset(options={"index": 4})[1]["sample_id"] == "picture-4"
    assert env.reset(options={"index": np.int64(0)})[1]["sample_id"] == "picture-0"
    assert env.reset(options={"id": "picture-2"})[1]["sample_id"] == "picture-2"


def test_picking_a_sample_leaves_the_order_as_it_was(picture_task):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=1)
    following = env.reset()[1]["sample_id"]
    env.reset(seed=1)
    env.reset(options={"index": 0})
    assert env.reset()[1]["sample_id"] == following


@pytest.mark.parametrize(
    "options",
    [{"index": 5}, {"index": -1}, {"index": 1.0}, {"index": True}, {"id": "none"}, {"indx": 1},
     {"index": 1, "id": "picture-1"}],
)  # fmt: skip
def test_other_options_are_refused(picture_task, options):
    with pytest.raises(ConfigError):
        PixelReasoningEnv(picture_task).reset(options=options)


def test_the_first_observation(picture_task):
    env = PixelReasoningEnv(picture_task)
    observation, info = env.reset(seed=0, options={"index": 1})
    assert observation["question"] == "What is hidden in picture 1?"
    assert sorted(observation["choices"]) == ["first", "second", "secret-1", "third"]
    assert observation["images"][0].shape == (812, 1008, 3)
    assert (observation["first_image"], observation["feedback"]) == (1, "")
    assert (observation["turn"], observation["turns_left"]) == (0, 5)
    assert observation["n_frames"] == 0
    assert info == {
        "sample_id": "picture-1", "task": "pictures", "category": "hidden",
        "origin": "rows.jsonl, row 1", "n_calls": 0, "n_operations": 0,
        "n_operation_errors": 0, "n_views": 1,
    }  # fmt: skip


def test_a_zoom_tells_what_it_did(picture_task):
    env = PixelReasoningEnv(picture_task, padding=0.1)
    env.reset(seed=0)
    observation, reward, _, _, info = env.step(zoom_in([0.2, 0.2, 0.4, 0.4]))
    assert observation["feedback"] == "Image 2 is the region [0.1, 0.1, 0.5, 0.5] of image 1."
    assert (observation["first_image"], len(observation["images"])) == (2, 1)
    assert (observation["turn"], observation["turns_left"]) == (1, 4)
    assert info["operation"] == "zoom_in"
    assert info["requested_box"] == pytest.approx((0.2, 0.2, 0.4, 0.4))
    assert info["executed_box"] == pytest.approx((0.1, 0.1, 0.5, 0.5))
    assert (info["target_image"], info["views_added"], info["n_views"]) == (1, (2,), 2)
    assert (info["n_calls"], info["n_operations"], info["n_operation_errors"]) == (1, 1, 0)
    assert reward == 0.0
    assert info["reward_terms"] == {"score": 0.0}


@pytest.mark.parametrize("is_right", [True, False])
def test_an_answer_ends_and_pays_its_score(picture_task, is_right):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    letter = "ABCD"[(env.sample.right_choice + (not is_right)) % 4]
    observation, reward, terminated, truncated, info = env.step(answer(letter))
    assert (terminated, truncated) == (True, False)
    assert reward == float(is_right) == sum(info["reward_terms"].values())
    assert info["grade"] == {
        "score": float(is_right),
        "correct": is_right,
        "parsed": letter,
        "error": None,
    }
    assert info["answer"] == letter
    assert info["n_calls"] == 0
    assert observation["first_image"] == 2


def test_an_empty_answer_ends_and_pays_nothing(picture_task):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step(answer(""))
    assert (reward, terminated, info["answer"]) == (0.0, True, "")


def test_turns_run_out(picture_task):
    env = PixelReasoningEnv(picture_task, max_turns=2)
    env.reset(seed=0)
    assert env.step(zoom_in(HALF))[2:4] == (False, False)
    observation, reward, terminated, truncated, info = env.step(zoom_in(HALF))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert observation["turns_left"] == 0
    assert observation["feedback"].endswith("No turns are left.")
    assert "grade" not in info


def test_an_answer_in_the_last_turn_counts(picture_task):
    env = PixelReasoningEnv(picture_task, max_turns=1)
    env.reset(seed=0)
    assert env.step(answer("A"))[2:4] == (True, False)


def test_a_step_outside_an_episode_is_an_error_of_the_developer(picture_task):
    env = PixelReasoningEnv(picture_task)
    for attempt in (lambda: env.step(answer("A")), lambda: env.sample, lambda: env.views):
        with pytest.raises(ResetNeeded):
            attempt()
    env.reset(seed=0)
    env.step(answer("A"))
    with pytest.raises(ResetNeeded):
        env.step(answer("A"))


@pytest.mark.parametrize(("index", "names"), [(1, "broken.jpg"), (2, "row 2")])
def test_a_fault_at_reset_truncates_the_first_step(index, names):
    env = PixelReasoningEnv(Faulty())
    observation, info = env.reset(options={"index": index})
    assert observation in env.observation_space
    assert names in info["env_error"]
    observation, reward, terminated, truncated, info = env.step(answer("A"))
    assert observation in env.observation_space
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert names in info["env_error"]
    assert "grade" not in info
    assert env.reset(options={"index": 0})[1]["sample_id"] == "picture-0"


def test_a_row_that_cannot_be_graded_truncates_the_episode():
    class Ungradable(PictureTask):
        def grade(self, sample, answer):
            raise DataError(f"{sample.origin}: the accepted answer is no number")

    env = PixelReasoningEnv(Ungradable())
    env.reset(options={"index": 2})
    _, reward, terminated, truncated, info = env.step(answer("A"))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["env_error"] == "rows.jsonl, row 2: the accepted answer is no number"
    assert not {"answer", "grade"} & info.keys()


def test_a_fault_in_a_zoom_truncates_the_episode():
    env = PixelReasoningEnv(Faulty())
    env.reset(options={"index": 3})
    env.sample.media[0].release()
    observation, reward, terminated, truncated, info = env.step(zoom_in(HALF))
    assert observation in env.observation_space
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert "late.jpg" in info["env_error"]
    assert "operation_error" not in info


def test_more_pictures_than_views_is_a_fault_of_the_data(picture_task):
    class Many(PictureTask):
        def __getitem__(self, index):
            source = super().__getitem__(index).media[0]
            return Sample(str(index), "Which?", (source,) * 3, ("a",), origin="row 9")

    assert "3 pictures" in PixelReasoningEnv(Many(), max_views=2).reset(seed=0)[1]["env_error"]
    observation, info = PixelReasoningEnv(Many(), max_views=3).reset(seed=0)
    assert len(observation["images"]) == info["n_views"] == 3


def test_options_are_ordered_by_the_id_alone(picture_task):
    seeded = PixelReasoningEnv(picture_task)
    orders = set()
    for index in range(5):
        choices = seeded.reset(seed=index, options={"index": index})[0]["choices"]
        assert seeded.reset(seed=99, options={"index": index})[0]["choices"] == choices
        assert seeded.sample.choices[seeded.sample.right_choice] == f"secret-{index}"
        orders.add(seeded.sample.right_choice)
    assert len(orders) > 1


def test_options_as_given_stay_in_place(picture_task):
    env = PixelReasoningEnv(picture_task, option_order="as_given")
    observation, _ = env.reset(options={"index": 2})
    assert observation["choices"] == ("first", "second", "third", "secret-2")
    assert env.sample.right_choice == 3


def test_a_caller_cannot_corrupt_the_environment(picture_task):
    env = PixelReasoningEnv(picture_task)
    observation, info = env.reset(options={"index": 0})
    before = env.views[0].image.copy()
    observation["images"][0][:] = 0
    info.clear()
    assert np.array_equal(env.views[0].image, before)
    assert np.array_equal(env.reset(options={"index": 0})[0]["images"][0], before)


def test_views_are_privileged_and_complete(clip_task):
    env = PixelReasoningEnv(clip_task)
    env.reset(seed=0)
    env.step(select_frames([1, 16]))
    assert [view.origin for view in env.views] == ["overview"] * 16 + ["select_frames"] * 2
    assert [view.parent for view in env.views[15:]] == [None, 1, 16]
    assert env.views[17].source == env.views[15].source


def test_the_constructor_names_what_is_wrong(picture_task):
    with pytest.raises(ConfigError, match="Task"):
        PixelReasoningEnv("VStar")
    with pytest.raises(ConfigError, match="empty"):
        PixelReasoningEnv(PictureTask(n=0))
    with pytest.raises(ConfigError, match="'max_turns'"):
        PixelReasoningEnv(picture_task, max_turn=3)
    with pytest.raises(ConfigError, match="render_mode"):
        PixelReasoningEnv(picture_task, render_mode="ansi")
    with pytest.raises(ConfigError, match="both"):
        PixelReasoningEnv(picture_task, EnvConfig(), preset="pixel-reasoner")


def test_a_config_may_come_whole(picture_task):
    env = PixelReasoningEnv(picture_task, EnvConfig(max_turns=3), max_views=4)
    assert (env.config.max_turns, env.config.max_views) == (3, 4)
