"""Gymnasium's functions and wrappers take spaces with texts and pictures, or say why not."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.error import DependencyNotInstalled
from gymnasium.spaces.utils import flatdim, flatten, flatten_space, unflatten
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from gymnasium.wrappers.utils import create_zero_array
from tiny_tasks import PictureTask

from pixel_env import PixelReasoningEnv, zoom_in
from pixel_env.fields import Choice, RGBImage, TokenIds, UnicodeText
from pixel_env.registration import flat_id

SPACES = [UnicodeText(20), Choice(("a", "b")), Choice((90, 180)), TokenIds(9, 50), RGBImage(900, 4)]
SEARCH = "PixelReason-SyntheticSearch-v0"
NOT_A_BOX = (TypeError, "Box")
NO_SHAPE = (ValueError, "shape")
DRAWN = {"AddRenderObservation", "AddWhiteNoise", "ObstructView", "RecordVideo"}
DRAWN |= {"HumanRendering", "RenderCollection"}
LAZY = {"ArrayConversion", "JaxToNumpy", "JaxToTorch", "NumpyToTorch"}
"""They convert arrays for other libraries, and are imported only with them."""

ARGUMENTS = {
    "ClipReward": (0, 1),
    "DelayObservation": (1,),
    "DiscretizeAction": (3,),
    "DiscretizeObservation": (10,),
    "DtypeObservation": (np.float32,),
    "FilterObservation": (["views", "question", "images"],),
    "FrameStackObservation": (3,),
    "MaxAndSkipObservation": (2,),
    "ObstructView": (0.5, 8),
    "AddWhiteNoise": (0.5,),
    "RecordVideo": ("videos",),
    "RepeatAction": (2,),
    "RescaleAction": (0.0, 1.0),
    "RescaleObservation": (0.0, 1.0),
    "ReshapeObservation": ((2,),),
    "ResizeObservation": ((8, 8),),
    "StickyAction": (0.5,),
    "TimeLimit": (2,),
    "TransformAction": (lambda action: action, None),
    "TransformObservation": (lambda observation: observation, None),
    "TransformReward": (lambda reward: reward,),
}
REFUSED = {
    "AtariPreprocessing": ((DependencyNotInstalled, TypeError, AttributeError), None),
    "ClipAction": NOT_A_BOX,
    "DiscretizeAction": NOT_A_BOX,
    "DiscretizeObservation": NOT_A_BOX,
    "DtypeObservation": NOT_A_BOX,
    "GrayscaleObservation": NOT_A_BOX,
    "MaxAndSkipObservation": NO_SHAPE,
    "NormalizeObservation": NO_SHAPE,
    "RescaleAction": NOT_A_BOX,
    "RescaleObservation": NOT_A_BOX,
    "ReshapeObservation": NOT_A_BOX,
    "ResizeObservation": NOT_A_BOX,
}
"""What a `Dict` can't be given to, flat or not, with the words of Gymnasium's reason."""

NEEDS_PACKAGES = {"RecordVideo", "HumanRendering"}
"""They need a package for films, or a screen: tested where those are."""

WRAPPERS = sorted(
    name for name in wrappers.__all__ if name[0].isupper() and name not in LAZY | NEEDS_PACKAGES
)


def wrapped(name, env_id):
    flat = {"as_dict": True, "as_row": True} if "Flat" in env_id else {}
    mode = "rgb_array" if name in DRAWN else None
    env = gym.make(env_id, render_mode=mode, max_episode_steps=4, **flat)
    held = set(env.observation_space)
    names = [key for key in ARGUMENTS["FilterObservation"][0] if key in held]
    given = (names,) if name == "FilterObservation" else ARGUMENTS.get(name, ())
    return getattr(wrappers, name)(env, *given)


@pytest.mark.parametrize("env_id", [SEARCH, flat_id("SyntheticSearch")])
@pytest.mark.parametrize("name", WRAPPERS)
def test_each_wrapper_of_gymnasium_works_or_says_why_not(name, env_id):
    if name in REFUSED:
        error, reason = REFUSED[name]
        with pytest.raises(error, match=reason):
            wrapped(name, env_id)
        return
    env = wrapped(name, env_id)
    observation, _ = env.reset(seed=1)
    assert observation in env.observation_space
    zoom = zoom_in([0, 0, 0.5, 0.5]) if env_id == SEARCH else np.array([1, 0, 0, 0, 0])
    observation, reward, *_ = env.step(zoom)
    assert observation in env.observation_space
    assert reward == 0
    env.close()


def test_a_delay_begins_with_zeros_and_then_shows_what_was():
    env = wrappers.DelayObservation(gym.make(SEARCH), 1)
    zeros, _ = env.reset(seed=1)
    assert (zeros["question"], zeros["images"], zeros["feedback"]) == ("", (), "")
    late, *_ = env.step(zoom_in([0, 0, 0.5, 0.5]))
    assert data_equivalence(late, gym.make(SEARCH).reset(seed=1)[0], exact=True)


@pytest.mark.parametrize("padding", ["reset", "zero"])
def test_stacked_observations_hold_the_texts_and_pictures_of_each_turn(padding):
    env = wrappers.FrameStackObservation(gym.make(SEARCH), 3, padding_type=padding)
    first, _ = env.reset(seed=1)
    asked = first["question"][2]
    assert first["question"] == ((asked,) * 3 if padding == "reset" else ("", "", asked))
    second, *_ = env.step(zoom_in([0, 0, 0.5, 0.5]))
    assert second["turn"].tolist() == [0, 0, 1]
    assert [len(images) for images in second["images"]] == [int(padding == "reset"), 1, 1]
    assert second["feedback"][2].startswith("Image 2")


def test_flattened_observations_keep_texts_and_pictures_and_flatten_the_rest():
    env = wrappers.FlattenObservation(gym.make(SEARCH))
    plain, _ = gym.make(SEARCH).reset(seed=1)
    observation, _ = env.reset(seed=1)
    assert observation["question"] == plain["question"]
    assert np.array_equal(observation["images"][0], plain["images"][0])
    assert observation["turns_left"].tolist() == [0, 0, 0, 0, 0, 1]
    back = unflatten(gym.make(SEARCH).observation_space, observation)
    assert all(back[key] == plain[key] for key in plain if key != "images")
    flat = wrappers.FlattenObservation(gym.make(flat_id("SyntheticSearch"), as_dict=True))
    assert isinstance(flat.observation_space, gym.spaces.Box)
    assert flat.reset(seed=1)[0] in flat.observation_space


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_space_has_what_wrappers_and_vectors_ask_of_it(space):
    zero = create_zero_array(space)
    assert zero in space
    assert all(np.array_equal(each, zero) for each in create_empty_array(space, 3))
    space.seed(0)
    items = [space.sample() for _ in range(3)]
    assert flatten_space(space) is space
    assert all(unflatten(space, flatten(space, item)) is item for item in items)
    with pytest.raises(ValueError, match=r"no flat array of one length.*Flat"):
        flatdim(space)
    batch = batch_space(space, 3)
    together = concatenate(space, items, create_empty_array(space, 3))
    assert together in batch
    assert all(np.array_equal(a, b) for a, b in zip(iterate(batch, together), items, strict=True))


def test_lanes_of_differing_spaces_are_batched_by_gymnasium():
    makers = [lambda n=n: PixelReasoningEnv(PictureTask(), max_turns=n) for n in (3, 4)]
    observations, _ = gym.vector.SyncVectorEnv(makers[:1] * 2).reset(seed=0)
    assert len(observations["question"]) == 2
    differing = gym.vector.utils.batch_differing_spaces([UnicodeText(3), UnicodeText(4)])
    assert ("abc", "abcd") in differing
    assert ("abcd", "abcd") not in differing
