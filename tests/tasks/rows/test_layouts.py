"""What holds for every layout of every task set: it loads, and says the same as the others."""

from __future__ import annotations

import pickle
import warnings

import gymnasium as gym
import pytest
from dataset_folders import tallyqa
from dataset_folders.layouts import LAYOUTS
from gymnasium.utils.env_checker import check_env

import pixel_env
from pixel_env.errors import ConfigError
from pixel_env.media.clips import ClipSource
from pixel_env.task_sets import TASKS
from pixel_env.types import LETTERS

NEEDS_NO_DATA = {name for name, (entry, _) in TASKS.items() if ".synthetic." in entry}


def make(folders, name, **more):
    task_set, _, arguments, _ = LAYOUTS[name]
    return gym.make(
        f"PixelReason-{task_set}-v0", data_dir=folders(name), **{**arguments, **more}
    ).unwrapped


@pytest.fixture(params=LAYOUTS)
def name(request):
    return request.param


def test_every_task_set_over_files_is_tested_here():
    tested = {task_set for task_set, *_ in LAYOUTS.values()}
    assert tested | {"Records"} == set(TASKS) - NEEDS_NO_DATA


def test_every_sample_loads_and_its_gold_answer_grades_1(folders, name):
    env = make(folders, name)
    task, n_samples = env.task, LAYOUTS[name][3]
    assert len(task) == n_samples
    samples = [task[index] for index in range(n_samples)]
    assert len({sample.id for sample in samples}) == n_samples
    for index, sample in enumerate(samples):
        assert task.index_of(sample.id) == index
        assert sample.origin
        golds = list(sample.answers)
        if sample.right_choice is not None:
            golds.append(LETTERS[sample.right_choice])
        assert [task.grade(sample, gold).score for gold in golds] == [1.0] * len(golds)
        assert task.grade(sample, "").score == 0
        assert "<image>" not in sample.question
        assert "\\boxed" not in "".join(sample.answers)
        media = sample.media[0]
        first = media.frame(1) if isinstance(media, ClipSource) else media
        assert first.size[0] > 8


def test_categories_part_the_whole_and_are_those_of_the_samples(folders, name):
    whole = make(folders, name).task
    own = [whole[index].category for index in range(len(whole))]
    for category in set(own) - {""}:
        part = make(folders, name, category=category).task
        assert len(part) == own.count(category)
        assert {part[index].category for index in range(len(part))} == {category}
        assert part.fingerprint() != whole.fingerprint()
        assert part.index_of(part[len(part) - 1].id) == len(part) - 1


def test_task_can_be_sent_to_a_worker_before_and_after_use(folders, name):
    task = make(folders, name).task
    fresh = pickle.loads(pickle.dumps(task))
    expected = [task[index].id for index in range(len(task))]
    used = pickle.loads(pickle.dumps(task))
    assert [fresh[index].id for index in range(len(task))] == expected
    assert [used[index].question for index in range(len(task))] == [
        task[index].question for index in range(len(task))
    ]


def test_unknown_split_category_and_id_are_refused(folders, name):
    for argument in ("split", "category"):
        with pytest.raises(ConfigError):
            make(folders, name, **{argument: "no such"})
    task = make(folders, name).task
    with pytest.raises(ConfigError, match="'no such'"):
        task.index_of("no such")
    for index in (-1, len(task)):
        with pytest.raises(IndexError):
            _ = task[index]


@pytest.mark.parametrize(
    "name",
    ["vstar-lmms-lab", "tallyqa-copy", "infographicsvqa-authors", "mvbench-released", "hrbench-4k"],
)
def test_environment_passes_gymnasiums_check(folders, name):
    env = make(folders, name, overview_px=(784, 4 * 784), crop_px=(784, 784), frame_px=(784, 784))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)


def test_an_episode_ends_with_the_grade_of_its_answer(folders):
    env = make(folders, "tallyqa-authors")
    observation, info = env.reset(options={"id": tallyqa.IDS[3]})
    assert observation["question"] == "How many people look up?"
    assert info["category"] == "complex"
    *_, info = env.step(pixel_env.answer("ten"))
    assert info["grade"] == {"score": 0.0, "correct": False, "parsed": "10", "error": -2.0}


def told(task):
    """What samples say apart from where they come from, by id."""
    return {
        sample.id: (sample.question, sample.answers, sample.choices, sample.right_choice)
        for sample in (task[index] for index in range(len(task)))
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vstar-authors", "vstar-lmms-lab"),
        ("vstar-authors", "vstar-ohjoonhee"),
        ("infographicsvqa-authors", "infographicsvqa-copy"),
        ("tallyqa-authors", "tallyqa-train"),
    ],
)
def test_two_layouts_give_the_same_samples_under_the_same_ids(folders, one, other):
    first, second = make(folders, one).task, make(folders, other).task
    assert told(first) == told(second)
    for index in range(len(first)):
        sample = first[index]
        same = second[second.index_of(sample.id)]
        if "train" not in other:
            assert same.category == sample.category
            assert (
                same.media[0].overview((28, 28)).tolist()
                == sample.media[0].overview((28, 28)).tolist()
            )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vstar-authors", "vstar-released"),
        ("tallyqa-authors", "tallyqa-copy"),
        ("tallyqa-authors", "tallyqa-released"),
        ("infographicsvqa-authors", "infographicsvqa-released"),
    ],
)
def test_layouts_with_ids_of_their_own_give_the_same_questions_in_order(folders, one, other):
    first, second = make(folders, one).task, make(folders, other).task
    assert list(told(first).values()) == list(told(second).values())


@pytest.mark.parametrize("task_set", sorted(set(TASKS) - NEEDS_NO_DATA - {"Records"}))
def test_missing_data_is_one_error_with_folder_command_and_twin(task_set, tmp_path):
    with pytest.raises(ConfigError) as caught:
        gym.make(f"PixelReason-{task_set}-v0", data_dir=tmp_path / "none")
    message = str(caught.value)
    assert str(tmp_path / "none") in message
    assert "pixel-reason prepare-data " in message
    assert f"--to {tmp_path / 'none'}" in message
    assert "PixelReason-Synthetic" in message
