"""Observations and actions of fixed size: what stable-baselines3 takes."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_sb3

from pixel_env import ConfigError, DataError, PixelReasoningEnv
from pixel_env.flat.episode import character_ids
from pixel_env.flat.spaces import ALPHABET, N_CHARACTERS, FlatConfig
from pixel_env.wrappers import CuriosityReward, FlatPixelEnv, FullHistory

SEARCH = "PixelReason-SyntheticSearch-v0"
LETTERS = "HJLOTVXZ"
SMALL = {"overview_px": (4 * 784, 16 * 784), "crop_px": (4 * 784, 16 * 784)}


def searching(vocabulary=LETTERS, **settings):
    made = {"n_views": 2, "scales": (0.25,), "stride": 1.0, **settings}
    return FlatPixelEnv(gym.make(SEARCH), vocabulary=vocabulary, **made)


def of_pictures(task, **settings):
    return FlatPixelEnv(PixelReasoningEnv(task, option_order="as_given", **SMALL), **settings)


def of_clips(task, **changes):
    small = {**SMALL, "frame_px": (784, 16 * 784), "n_frames": 6}
    env = PixelReasoningEnv(task, **{**small, **changes})
    return FlatPixelEnv(env, vocabulary=("very", "hardly"), view_px=60)


@pytest.fixture(params=["free", "options", "counts", "picture", "clip"])
def any_env(request, picture_task, clip_task):
    return {
        "free": searching,
        "options": lambda: FlatPixelEnv(gym.make(SEARCH, options=True)),
        "counts": lambda: searching(vocabulary=9, n_views=1),
        "picture": lambda: of_pictures(picture_task),
        "clip": lambda: of_clips(clip_task),
    }[request.param]()


def test_both_checkers_find_nothing(any_env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(any_env)
        # Gymnasium's checker wants the bare environment; it warns only that this is a wrapper.
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
        check_gymnasium(any_env, skip_render_check=True)


def test_random_rows_are_always_in_the_spaces(any_env):
    any_env.action_space.seed(1)
    for episode in range(4):
        observation, _ = any_env.reset(seed=episode)
        ended = False
        while not ended:
            assert any_env.observation_space.contains(observation)
            row = any_env.action_space.sample()
            observation, _, terminated, truncated, info = any_env.step(row)
            assert (info["operation"] == "answer") == (row[0] == 0)
            ended = terminated or truncated
        assert any_env.observation_space.contains(observation)


def test_an_option_is_answered_by_its_place(picture_task):
    env = of_pictures(picture_task)
    env.reset(options={"index": 0})
    *_, info = env.step([0, 0, 0, 0, 3])
    assert info["answer"] == "D"
    assert info["grade"]["correct"]


def test_an_answer_past_the_last_option_is_empty_and_wrong(picture_task):
    env = of_pictures(picture_task, n_choices=6)
    env.reset(options={"index": 0})
    _, reward, terminated, _, info = env.step([0, 0, 0, 0, 5])
    assert (info["answer"], reward, terminated) == ("", 0.0, True)


def test_a_free_answer_is_a_word_of_the_vocabulary():
    env = searching(vocabulary=("no", "yes"))
    env.reset(seed=0)
    assert env.step([0, 0, 0, 0, 1])[-1]["answer"] == "yes"


def test_a_number_stands_for_counts():
    assert FlatConfig(vocabulary=3).words == ("0", "1", "2", "3")


def test_boxes_are_a_grid_at_every_scale():
    config = FlatConfig(vocabulary=LETTERS, scales=(1.0, 0.5), stride=0.5)
    assert config.boxes[0] == (0.0, 0.0, 1.0, 1.0)
    assert config.boxes[1:4] == (
        (0.0, 0.0, 0.5, 0.5),
        (0.25, 0.0, 0.75, 0.5),
        (0.5, 0.0, 1.0, 0.5),
    )
    assert config.boxes[-1] == (0.5, 0.5, 1.0, 1.0)
    assert len(config.boxes) == 1 + 9
    # 0.3 doesn't fit into 1: four boxes of a side, from edge to edge
    assert len(FlatConfig(vocabulary=2, scales=(0.3,), stride=1.0).boxes) == 16


def test_a_zoom_shows_its_box_of_the_source_in_the_second_place():
    env = searching()
    first, _ = env.reset(seed=1)
    second, *_, info = env.step([1, 6, 0, 0, 0])  # second row, third column of 4 x 4
    assert info["requested_box"] == (0.5, 0.25, 0.75, 0.5)
    assert second["boxes"].tolist() == [1, 1, 0, 0, 1, 1, 1, 1, 0.5, 0.25, 0.75, 0.5]
    np.testing.assert_array_equal(first["views"][:, :, :3], second["views"][:, :, :3])
    assert not first["views"][:, :, 3:].any()
    assert second["views"][:, :, 3:].std() > 5


def test_a_zoom_on_a_zoom_tells_the_box_of_the_source(picture_task):
    env = of_pictures(picture_task, scales=(0.5,), stride=1.0, n_views=3)
    env.reset(options={"index": 0})
    env.step([1, 3, 0, 0, 0])  # the lower right quarter
    observation, *_, info = env.step([1, 0, 1, 0, 0])  # of that the upper left quarter
    assert info["requested_box"] == (0.5, 0.5, 0.75, 0.75)
    newest, before = observation["boxes"].reshape(3, 6)[1:]
    assert newest[2:].tolist() == [0.5, 0.5, 0.75, 0.75]
    assert before[2:].tolist() == [0.5, 0.5, 1.0, 1.0]
    # The picture's red rises with x and its green with y, from 0 to 255.
    seen = observation["views"][:, :, 3:5].mean(axis=(0, 1))
    assert seen == pytest.approx([255 * 0.625] * 2, abs=2)


def test_a_view_that_isnt_there_is_refused_and_costs_a_turn():
    env = searching()
    env.reset(seed=1)
    observation, *_, info = env.step([1, 0, 1, 0, 0])
    assert info["operation_error"] == "bad_image"
    assert info["n_operation_errors"] == 1
    turn, turns_left, n_views, refused = observation["counters"]
    assert (turn, turns_left, refused) == (np.float32(0.2), np.float32(0.8), 1.0)
    assert n_views == 1 / 16


def test_a_frame_is_selected_and_seen_larger(clip_task):
    env = of_clips(clip_task, frame_px=(64 * 784, 64 * 784))
    observation, info = env.reset(options={"index": 0})
    assert info["n_frames"] == 6
    sheet = observation["views"][:, :, :3]
    # Six frames of 40 in three columns; frame i is all of grey 5 * i.
    greys = [5 * number for number in env.unwrapped.history.frame_numbers]
    for place, grey in enumerate(greys):
        row, column = divmod(place, 3)
        assert (sheet[20 * row : 20 * row + 20, 20 * column : 20 * column + 20] == grey).all()
    assert not sheet[40:].any()
    observation, *_, info = env.step([2, 0, 0, 4, 0])
    assert info["operation"] == "select_frames"
    assert (observation["views"][:, :, 3:6] == greys[4]).all()
    assert observation["boxes"][6:12].tolist() == pytest.approx([1, 5 / 6, 0, 0, 1, 1])


def test_a_zoom_on_the_overview_of_a_clip_goes_into_the_frame_that_is_named(clip_task):
    env = of_clips(clip_task)
    env.reset(options={"index": 0})
    observation, *_, info = env.step([1, 0, 0, 2, 0])
    assert info["target_image"] == 3
    assert observation["boxes"][7] == pytest.approx(3 / 6)


def test_text_is_given_character_by_character():
    ids = character_ids("Éa9", 5)
    assert ids.tolist() == [1, 2 + ALPHABET.index("a"), 2 + ALPHABET.index("9"), 0, 0]
    assert character_ids("abc", 2).tolist() == character_ids("AB", 2).tolist()
    assert len(set(ALPHABET)) + 2 == N_CHARACTERS
    env = FlatPixelEnv(gym.make(SEARCH, options=True), choice_chars=8, question_chars=20)
    observation, _ = env.reset(seed=3)
    sample = env.unwrapped.sample
    assert observation["question"].tolist() == character_ids(sample.question, 20).tolist()
    expected = [character_ids(choice, 8).tolist() for choice in sample.choices]
    assert observation["choices"].reshape(4, 8).tolist() == expected


def test_an_episode_out_of_turns_is_terminated():
    env = FlatPixelEnv(gym.make(SEARCH, max_turns=2), vocabulary=LETTERS)
    env.reset(seed=0)
    assert env.step([1, 0, 0, 0, 0])[2:4] == (False, False)
    *_, terminated, truncated, info = env.step([1, 0, 0, 0, 0])
    assert (terminated, truncated) == (True, False)
    assert "grade" not in info


def test_unreadable_data_end_the_episode_and_raise_nothing(picture_task):
    class Broken(type(picture_task)):
        def __getitem__(self, index):
            if index == 1:
                raise DataError("rows.jsonl, row 1: no such picture")
            return super().__getitem__(index)

    env = of_pictures(Broken())
    observation, info = env.reset(options={"index": 1})
    assert "row 1" in info["env_error"]
    assert env.observation_space.contains(observation)
    *_, truncated, info = env.step([0, 0, 0, 0, 0])
    assert truncated
    assert "env_error" in info


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("preset", ["paper", "released"])
def test_curiosity_pays_the_same_on_either_side(clip_task, outer, preset):
    """Released preset: half the clip's rollouts zoom, 0.25 * (0.75 - 0.5) / 1.5 / 0.5."""
    options = {"preset": preset, "threshold": 0.75}
    env = PixelReasoningEnv(clip_task, **{**SMALL, "frame_px": (784, 7840), "n_frames": 6})
    flat = {"vocabulary": ("very", "hardly"), "view_px": 60}
    if outer:
        env = CuriosityReward(FlatPixelEnv(env, **flat), **options)
    else:
        env = FlatPixelEnv(CuriosityReward(env, **options), **flat)
    for zooms in (False, True):
        env.reset(options={"index": 0})
        if zooms:
            env.step([2, 0, 0, 1, 0])
        _, reward, *_, info = env.step([0, 0, 0, 0, 1])
    expected = {"paper": 0.5 * 0.25, "released": 0.25 * 0.25 / 1.5 / 0.5}[preset]
    assert info["reward_terms"] == pytest.approx(
        {"score": 0.0, "curiosity": expected, "operations": 0.0}
    )
    assert reward == pytest.approx(expected)


def test_vector_environments_take_it():
    envs = gym.make_vec(
        SEARCH,
        num_envs=2,
        vectorization_mode="sync",
        wrappers=[lambda env: FlatPixelEnv(env, vocabulary=LETTERS, n_views=2)],
    )
    observations, _ = envs.reset(seed=0)
    assert observations["views"].shape == (2, 84, 84, 6)
    _, _, terminated, *_ = envs.step(np.array([[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]))
    assert terminated.tolist() == [True, False]
    envs.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocabulary": ()}, "vocabulary"),
        ({"vocabulary": LETTERS, "view_px": 35}, "view_px"),
        ({"vocabulary": LETTERS, "view_px": 36, "n_views": 12}, "channels"),
        ({"vocabulary": LETTERS, "scales": (0.0,)}, "scales"),
        ({"vocabulary": LETTERS, "stride": 2.0}, "stride"),
        ({"vocabulary": LETTERS, "n_view": 3}, "n_views"),
        ({"vocabulary": LETTERS, "n_choices": 27}, "26"),
    ],
)
def test_a_wrong_size_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        FlatPixelEnv(gym.make(SEARCH), **settings)


def test_config_and_settings_exclude_each_other_and_another_environment_is_refused():
    with pytest.raises(ConfigError, match="both"):
        FlatPixelEnv(gym.make(SEARCH), FlatConfig(vocabulary=3), view_px=60)
    with pytest.raises(ConfigError, match="PixelReasoningEnv"):
        FlatPixelEnv(gym.make("CartPole-v1"))


def test_a_spec_makes_it_again():
    env = searching(vocabulary=("a", "b"), view_px=48)
    again = gym.make(env.spec)
    assert again.action_space == env.action_space
    assert again.observation_space == env.observation_space
    assert isinstance(again, FlatPixelEnv)


def test_a_full_history_inside_is_refused():
    """Its observations repeat old views, which would be taken for new ones."""
    with pytest.raises(ConfigError, match="FullHistory"):
        FlatPixelEnv(FullHistory(gym.make(SEARCH)), vocabulary=LETTERS)


@pytest.mark.parametrize(
    ("row", "kind", "sentence"),
    [
        ([1, -1, 0, 0, 0], "bad_box", "box must be 0 to 15, got -1."),
        ([1, 16, 0, 0, 0], "bad_box", "box must be 0 to 15, got 16."),
        ([1, 0, -1, 0, 0], "bad_image", "target must be 0 to 1, got -1."),
        ([1, 0, 2, 0, 0], "bad_image", "target must be 0 to 1, got 2."),
        ([1, 0, 0, -1, 0], "bad_image", "frame must be 0 to 0, got -1."),
        ([2, 0, 0, 0, 0], "unknown_operation", "The kind must be 0 to 1, got 2."),
        ([-1, 0, 0, 0, 0], "unknown_operation", "The kind must be 0 to 1, got -1."),
        ([0, 0, 0, 0, -1], "no_answer", "answer must be 0 to 7, got -1."),
        ([0, 0, 0, 0, 8], "no_answer", "answer must be 0 to 7, got 8."),
        ([1, 0, 0, 0], "malformed", "A flat action is five whole numbers"),
        ([1, 0.5, 0, 0, 0], "malformed", "A flat action is five whole numbers"),
        (None, "malformed", "A flat action is five whole numbers"),
    ],
)
def test_an_index_out_of_range_is_refused_and_costs_the_turn(row, kind, sentence):
    env = searching()
    env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(row)
    assert info["operation_error"] == kind
    assert sentence in info["feedback"]
    assert observation["counters"][0] == pytest.approx(1 / env.config.max_turns)
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert observation["counters"][3] == 1.0
    assert observation in env.observation_space


def test_numbers_that_a_kind_does_not_need_hold_anything():
    env = searching()
    env.reset(seed=1)
    *_, info = env.step(np.array([1, 3, 1_000, -7, -7]) * [1, 1, 0, 0, 1])
    assert "operation_error" not in info
    *_, info = env.step(np.array([0, -5, 99, -1, 3]))
    assert info["answer"] == LETTERS[3]


def test_a_frame_out_of_range_is_refused(clip_task):
    env = of_clips(clip_task)
    env.reset(seed=0)
    for frame in (-1, 6):
        *_, info = env.step(np.array([2, 0, 0, frame, 0]))
        assert info["operation_error"] == "bad_frames"
