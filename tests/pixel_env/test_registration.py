"""Ids, and how arguments of `gym.make` are shared out."""

import subprocess
import sys

import gymnasium as gym
import pytest
from tiny_tasks import PictureTask

from pixel_env import ConfigError, PixelReasoningEnv, register_task
from pixel_env.registration import check_id, make_bare
from pixel_env.task_sets import TASKS
from pixel_env.vector import PixelReasoningVectorEnv


def test_arguments_go_to_the_environment_or_to_the_task(register):
    env_id = register("Shared", "tiny_tasks:PictureTask", max_views=7)
    env = gym.make(env_id, n=9, width=300, max_turns=3, render_mode="rgb_array")
    inner = env.unwrapped
    assert isinstance(inner, PixelReasoningEnv)
    assert (len(inner.task), inner.task.width) == (9, 300)
    assert (inner.config.max_turns, inner.config.max_views) == (3, 7)
    assert inner.render_mode == env.render_mode == "rgb_array"
    assert env.spec.id == env_id


def test_explicit_arguments_win_over_the_defaults_of_an_id(register):
    env_id = register("Defaults", PictureTask, max_views=7, preset="pixel-reasoner")
    assert gym.make(env_id, max_views=9).unwrapped.config.max_views == 9
    assert gym.make(env_id).unwrapped.config.zoom_source == "view"


def test_an_unknown_argument_is_refused_with_a_suggestion(register):
    env_id = register("Unknown", PictureTask)
    with pytest.raises(ConfigError, match="Did you mean 'max_turns'"):
        gym.make(env_id, max_turn=3)
    with pytest.raises(ConfigError, match="Did you mean 'width'"):
        gym.make(env_id, widht=3)


@pytest.mark.parametrize(
    ("env_id", "knobs"),
    [
        ("PixelReason-SyntheticSearch-v0", ("scene_px", "easy_share", "split", "grid")),
        ("PixelReason-VStar-v0", ("data_dir", "split", "category")),
    ],
)
def test_an_unknown_argument_lists_the_knobs_of_the_task_and_the_settings_apart(env_id, knobs):
    with pytest.raises(ConfigError) as error:
        gym.make(env_id, max_turn=3)
    task, _, environment = str(error.value).partition(" or of the environment ")
    assert all(name in task for name in knobs)
    assert "max_views" not in task
    assert all(name in environment for name in ("max_views", "preset", "render_mode"))
    assert "Did you mean 'max_turns'?" in environment
    assert "knobs" not in task


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("VStar", "PixelReason-VStar-v0"),
        ("vstar-v0", "PixelReason-VStar-v0"),
        ("SyntheticSearch-v0", "PixelReason-SyntheticSearch-v0"),
        ("PixelReason-SyntheticSearch", "PixelReason-SyntheticSearch-v0"),
        ("PixelReason-SyntheticSerch-v0", "PixelReason-SyntheticSearch-v0"),
        ("PixelReason-VStar-v1", "PixelReason-VStar-v0"),
    ],
)
def test_an_id_that_is_nearly_right_is_completed(given, meant):
    for make in (check_id, make_bare, lambda name: PixelReasoningVectorEnv.from_id(name, 2)):
        with pytest.raises(ConfigError, match=f"got '{given}'. Did you mean '{meant}'?"):
            make(given)


def test_an_id_like_no_other_lists_them():
    with pytest.raises(ConfigError, match=r"There are .*PixelReason-VStar-v0"):
        check_id("zzz")


def test_an_environment_of_another_kind_is_refused_before_it_is_made():
    with pytest.raises(ConfigError, match=r"the id of a PixelReasoningEnv.* 'CartPole-v1'"):
        make_bare("CartPole-v1", split="train")


def test_an_environment_is_made_without_the_wrappers_of_gymnasium(register):
    assert type(make_bare(register("Bare", PictureTask), n=9)) is PixelReasoningEnv
    assert type(make_bare("pixel_env:PixelReason-SyntheticSearch-v0")) is PixelReasoningEnv


@pytest.mark.parametrize(("name", "entry"), [("a b", "x:Y"), ("", "x:Y"), ("A", "no_colon")])
def test_malformed_registrations_are_refused(name, entry):
    with pytest.raises(ConfigError):
        register_task(name, entry)


def test_the_published_ids_are_registered():
    for name in TASKS:
        assert f"PixelReason-{name}-v0" in gym.registry
    assert set(TASKS) >= {"VStar", "SyntheticSearch"}


def test_an_id_works_without_an_import():
    code = (
        "import gymnasium as gym; "
        "env = gym.make('pixel_env:PixelReason-SyntheticSearch-v0'); "
        "print(env.reset(seed=0)[0]['images'][0].shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(112, 112, 3)"


def test_importing_the_package_imports_neither_tasks_nor_torch():
    code = (
        "import sys, pixel_env; "
        "print([m for m in sys.modules if m.startswith(('pixel_env.tasks', 'pixel_env.agents', "
        "'torch', 'transformers', 'decord'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_make_vec_builds_lanes_over_one_task(register):
    env_id = register("Lanes", "tiny_tasks:PictureTask")
    lanes = gym.make_vec(env_id, num_envs=3, vectorization_mode="vector_entry_point", n=2)
    assert len({id(env.unwrapped.task) for env in lanes.unwrapped.envs}) == 1
    lanes.close()


@pytest.mark.parametrize("suffix", ["v0", "Flat-v0"])
def test_an_unknown_argument_is_a_type_error_in_pythons_words(suffix):
    """So a library that tries an argument, such as torchrl's frameskip, goes on without it."""
    env_id = f"PixelReason-SyntheticSearch-{suffix}"
    for make in (gym.make, lambda name, **given: gym.make_vec(name, 2, **given)):
        with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'") as error:
            make(env_id, frameskip=1)
        assert isinstance(error.value, ConfigError)
    with pytest.raises(ConfigError) as error:
        gym.make(env_id, max_turns=0)
    assert not isinstance(error.value, TypeError)
