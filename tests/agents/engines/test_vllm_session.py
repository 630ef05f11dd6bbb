"""Lanes on vLLM: the tokens of our own session, and a stop where vLLM read others."""

import numpy as np
import pytest
import torch
from scripted_vllm import ScriptedLLM
from tiny_models import observation, picture, tiny_encoder, tiny_model

from pixel_env.agents.engines.vllm_model import VllmModel
from pixel_env.agents.engines.vllm_session import VllmSession
from pixel_env.agents.engines.weights import named_weights
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.scoring import score
from pixel_env.errors import ConfigError

ARCHITECTURE = "qwen2_5_vl"
CONFIG = GenerationConfig(max_new_tokens=6, max_context=400)
GREEDY = GenerationConfig(max_new_tokens=6, max_context=400, greedy=True)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def encoder():
    return tiny_encoder(ARCHITECTURE)


def session(encoder, config=CONFIG, seed=0, weights=None, **rest):
    llm = ScriptedLLM(tiny_model(ARCHITECTURE, seed), encoder, **rest)
    return VllmSession(VllmModel(llm, dict), encoder, config, weights)


def turns(rng, n):
    """The observations of an episode: a picture first, one more in each turn."""
    return [
        observation("which" if not turn else "zoom", [picture(rng, ARCHITECTURE, 1, turn + 1)])
        for turn in range(n)
    ]


def played(speaker, lanes, n_turns=3, seed=0):
    """Runs episodes to their end; returns their trajectories."""
    shown = turns(np.random.default_rng(5), n_turns)
    for lane in lanes:
        speaker.begin(lane, [seed, lane])
    for given in shown:
        speaker.hear([given] * len(lanes), lanes)
        speaker.speak(lanes)
    return [speaker.end(lane).build() for lane in lanes]


def test_greedy_episodes_have_the_tokens_pictures_and_turns_of_our_own_session(encoder):
    own = played(Session(Engine(tiny_model(ARCHITECTURE), encoder, GREEDY)), [0])[0]
    other = played(session(encoder, GREEDY), [0])[0]
    np.testing.assert_array_equal(own.ids, other.ids)
    np.testing.assert_allclose(own.logprobs, other.logprobs, atol=1e-4)
    assert own.turns == other.turns
    assert own.image_starts == other.image_starts
    assert len(own.images) == 3
    for one, two in zip(own.images, other.images, strict=True):
        np.testing.assert_array_equal(one.patches, two.patches)


def test_recorded_log_probabilities_are_those_of_the_model(encoder):
    found = played(session(encoder), [0, 1, 2])
    with torch.no_grad():
        scores = score(tiny_model(ARCHITECTURE), found, encoder)
    for row, each in zip(scores.logprobs.numpy(), found, strict=True):
        assert each.trainable.sum() > 3
        np.testing.assert_allclose(row[: len(each)], each.logprobs, atol=1e-4)


def test_what_a_lane_samples_depends_on_its_seed_alone(encoder):
    three = played(session(encoder), [0, 1, 2])
    one = played(session(encoder), [1])[0]
    np.testing.assert_array_equal(three[1].ids, one.ids)
    other = played(session(encoder), [1], seed=9)[0]
    assert other.ids.tolist() != one.ids.tolist()
    assert three[0].ids.tolist() != three[2].ids.tolist()


def test_a_resized_picture_stops_the_run_and_names_the_position(encoder):
    speaker = session(encoder, resizes_to=(84, 84))
    speaker.begin(3, 0)
    speaker.hear(turns(np.random.default_rng(0), 1), [3])
    first = int(np.flatnonzero(speaker.record(3).build().ids == encoder.image_id)[0])
    with pytest.raises(ConfigError, match=f"lane 3 .* at position {first + 1} the id"):
        speaker.speak([3])
    assert speaker.record(3).n_messages == 0


def test_pushed_weights_change_what_is_sampled(encoder):
    trained = tiny_model(ARCHITECTURE, seed=0)
    speaker = session(encoder, GREEDY, weights=lambda: named_weights(trained))
    before = played(speaker, [0])[0]
    with torch.no_grad():
        for name, weight in tiny_model(ARCHITECTURE, seed=7).named_parameters():
            trained.get_parameter(name).copy_(weight)
    unchanged = played(speaker, [0])[0]
    speaker.update_weights()
    after = played(speaker, [0])[0]
    own = played(Session(Engine(trained, encoder, GREEDY)), [0])[0]
    assert before.ids.tolist() == unchanged.ids.tolist() != after.ids.tolist()
    assert after.ids.tolist() == own.ids.tolist()


def test_a_lane_without_room_hears_nothing_more(encoder):
    first, second = turns(np.random.default_rng(5), 2)
    length = len(encoder.open(first))
    config = GenerationConfig(max_new_tokens=6, max_context=length + 2)
    speaker = session(encoder, config)
    speaker.begin(0, 0)
    speaker.hear([first], [0])
    speaker.speak([0])
    assert len(speaker.record(0)) <= length + 2
    speaker.hear([second], [0])
    assert speaker.overlong(0)
    assert len(speaker.record(0)) <= length + 2


def test_no_lane_asks_for_nothing(encoder):
    assert session(encoder).speak([]) == []


def test_a_lane_that_ended_is_gone(encoder):
    speaker = session(encoder)
    speaker.begin(0, 0)
    assert len(speaker.end(0)) == 0
    assert speaker.end(0) is None
