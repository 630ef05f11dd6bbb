"""SyntheticMix: each sample is of one twin, shown at its sizes, graded by its grader."""

import pickle
from collections import Counter

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

from pixel_env import select_frames, zoom_in
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.synthesis import Synthesis
from pixel_env.errors import ConfigError
from pixel_env.tasks.synthetic.mix import DEFAULT_SHARES, SyntheticMix

ID = "PixelReason-SyntheticMix-v0"
SIZES = {  # (height, width) of the overview, of a view that an operation gives
    "SyntheticSearch": ((112, 112), (112, 112)),
    "SmallCounting": ((112, 112), (112, 112)),
    "SmallInfographic": ((224, 112), (140, 252)),
    "SmallClip": ((56, 56), (168, 168)),
}


def first_of(task, name):
    return next(index for index in range(200) if task.member_of(index) == name)


def test_shares_and_categories_are_those_asked_for():
    task = SyntheticMix(shares={"SyntheticSearch": 3, "SmallClip": 1}, easy_share=0.5)
    counts = Counter(task[index].category for index in range(800))
    assert set(counts) == {
        f"{name}_{kind}" for name in ("SyntheticSearch", "SmallClip") for kind in ("easy", "hard")
    }
    of_search = sum(count for name, count in counts.items() if "Search" in name)
    assert 560 < of_search < 640
    assert 340 < sum(count for name, count in counts.items() if "easy" in name) < 460


def test_one_category_and_options_reach_every_member():
    task = SyntheticMix(category="hard", options=True)
    drawn = [task[index] for index in range(40)]
    assert {sample.category for sample in drawn} == {f"{name}_hard" for name in DEFAULT_SHARES}
    assert all(len(sample.choices) == 4 for sample in drawn)


def test_a_sample_is_that_of_its_twin():
    mix = SyntheticMix(split="test")
    for name in DEFAULT_SHARES:
        index = first_of(mix, name)
        twin = gym.make(f"PixelReason-{name}-v0", split="test").unwrapped.task[index]
        assert (mix[index].id, mix[index].question) == (twin.id, twin.question)
        assert mix[index].answers == twin.answers
        assert mix[index].evidence == twin.evidence
        assert mix.index_of(twin.id) == index


def test_an_id_that_belongs_to_another_twin_is_refused():
    mix = SyntheticMix(split="test")
    index = first_of(mix, "SmallClip")
    for wrong in (f"search-test-{index}", f"clip-train-{index}", "vstar-3", "clip-test-x"):
        with pytest.raises(ConfigError):
            mix.index_of(wrong)


def test_each_twin_is_graded_by_its_own_grader():
    mix = SyntheticMix()
    counted = next(
        mix[index] for index in range(400) if mix[index].category == "SmallCounting_hard"
    )
    written = {"1": "one", "2": "two", "3": "three", "4": "four"}[counted.answers[0]]
    assert mix.grade(counted, written).score == 1.0  # a count may be a word
    read = next(
        mix[index]
        for index in range(400)
        if mix[index].category == "SmallInfographic_hard" and "source" in mix[index].question
    )
    assert 0.5 < mix.grade(read, read.answers[0][:-1]).score < 1.0  # ANLS gives a part
    letter = mix[first_of(mix, "SyntheticSearch")]
    assert mix.grade(letter, letter.answers[0] + "x").score == 0.0


@pytest.mark.parametrize("name", SIZES)
def test_each_twin_is_shown_at_its_own_sizes(name):
    env = gym.make(ID).unwrapped
    observation, info = env.reset(options={"index": first_of(env.task, name)})
    assert info["category"].startswith(f"{name}_")
    overview, view = SIZES[name]
    assert {image.shape[:2] for image in observation["images"]} == {overview}
    assert env.observation_space.contains(observation)
    action = select_frames([1, 2]) if name == "SmallClip" else zoom_in((0.05, 0.9, 0.45, 1.0))
    if name in ("SyntheticSearch", "SmallCounting"):
        action = zoom_in((0.1, 0.1, 0.25, 0.25))
    observation, *_ = env.step(action)
    assert {image.shape[:2] for image in observation["images"]} == {view}
    assert env.observation_space.contains(observation)


def test_splits_and_seeds_are_apart_and_the_fingerprint_tells_shares():
    tasks = [
        SyntheticMix(),
        SyntheticMix(split="test"),
        SyntheticMix(seed=1),
        SyntheticMix(shares={"SyntheticSearch": 1}),
        SyntheticMix(shares={**DEFAULT_SHARES, "SmallClip": 2}),
    ]
    assert len({task.fingerprint() for task in tasks}) == 5
    orders = [[task.member_of(index) for index in range(50)] for task in tasks[:3]]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    again = pickle.loads(pickle.dumps(tasks[0]))
    assert [again.member_of(index) for index in range(50)] == orders[0]


@pytest.mark.parametrize(
    "shares",
    [{}, {"VStar": 1}, {"SyntheticMix": 1}, {"SmallClip": 0}, {"SmallClip": float("nan")},
     {"SyntheticClip": 1, "SmallClip": 1}, {"Serach": 1}],
)  # fmt: skip
def test_what_is_no_mixture_of_twins_is_refused(shares):
    with pytest.raises(ConfigError):
        SyntheticMix(shares=shares)


def test_the_environment_passes_gymnasiums_check():
    env = gym.make(ID, disable_env_checker=True).unwrapped
    check_env(env, skip_render_check=True)


def test_demonstrations_of_all_twins_solve_it_and_an_evaluation_has_a_row_for_each(tmp_path):
    env = gym.make(ID).unwrapped
    config = DemonstrationConfig(
        n=16, box_step=0.05, square_side=0.15, jitter=0.0, margin=0.0, wording="brief", text_only=0
    )
    made = list(Synthesis(env, config).run())
    assert len(made) == 16
    assert {each.category.split("_")[0] for each in made} == set(DEFAULT_SHARES)
    settings = EvaluationConfig(
        env_id=ID, env_kwargs={"split": "test"}, samples=16, lanes=4, out=tmp_path
    )
    whole, *apart = evaluate(make_policy("demonstration"), settings).table
    assert whole.accuracy.mean == 1.0
    assert {scores.group.split("_")[0] for scores in apart} == set(DEFAULT_SHARES)
