"""Demonstrations are saved, loaded, played again and encoded without loss."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from tiny_models import tiny_processor, tiny_tokenizer

from pixel_env import PixelReasoningEnv
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.demonstration import (
    EncodedDemonstrations,
    encode,
    load,
    make_missing,
    save,
    with_observations,
)
from pixel_env.agents.warm_start.synthesis import Synthesis
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, DataError

SMALL = {"overview_px": (112 * 112, 112 * 112), "crop_px": (56 * 56, 56 * 56)}
TINY = DemonstrationConfig(n=24, wording="brief", box_step=0.05, square_side=0.2)
SINGLE = replace(TINY, text_only=0.0, recrop=0.0, recrop_twice=0.0, zoom_further=0.0)


@pytest.fixture
def env(picture_task):
    return PixelReasoningEnv(picture_task, **SMALL)


@pytest.fixture
def encoder():
    return Encoder(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "brief"
    )


def test_lines_come_back_and_replay_gives_the_same_tokens(tmp_path, encoder):
    env = gym.make("pixel_env:PixelReason-SyntheticSearch-v0", max_objects=5)
    made = list(Synthesis(env, replace(TINY, n=5)).run())
    path = tmp_path / "demonstrations.jsonl"
    save(path, made[:3])
    save(path, made[3:], append=True)
    with path.open("a") as lines:
        lines.write('{"number": 5, "kin')
    loaded = load(path)
    assert loaded == made
    assert loaded[0].env_id == "PixelReason-SyntheticSearch-v0"
    assert loaded[0].env_kwargs == {"max_objects": 5}
    with pytest.raises(ConfigError, match="`with_observations` gives them"):
        encode(loaded[0], encoder)
    remade = gym.make(loaded[0].env_id, **loaded[0].env_kwargs)
    for before, after in zip(made, loaded, strict=True):
        one, two = encode(before, encoder), encode(with_observations(after, remade), encoder)
        assert np.array_equal(one.ids, two.ids)
        for image, again in zip(one.images, two.images, strict=True):
            assert np.array_equal(image.patches, again.patches)


def test_a_killed_making_goes_on_to_the_same_file(tmp_path, env):
    synthesis = Synthesis(env, replace(SINGLE, n=6))
    whole, path, counts, asked = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl", [], []
    all_made = make_missing(synthesis.make, 6, whole, counts.append)
    assert counts == [0, 1, 2, 3, 4, 5, 6]
    assert [each.observations for each in all_made] == [()] * 6  # pictures take gigabytes
    lines = whole.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1] + lines[2][:40])

    def make(number):
        asked.append(number)
        return None if number == 4 else synthesis.make(number)

    made = make_missing(make, 6, path, counts.append)
    assert asked == [2, 3, 4, 5]
    assert counts[7:] == [2, 3, 4, 5, 6]
    assert made == [each for each in all_made if each.number != 4]
    assert path.read_text() == "".join(lines[:4]) + lines[5]


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "demonstrations.jsonl"
    path.write_text('{"number": 1}\n')
    with pytest.raises(DataError, match=r"demonstrations.jsonl, line 1"):
        load(path)


def test_a_demonstration_of_another_answer_can_not_be_played_again(env):
    made = Synthesis(env, SINGLE).make(0)
    with pytest.raises(DataError, match=r"scored 1.0, now it scores 0.0"):
        with_observations(replace(made, messages=(*made.messages[:-1], r"\boxed{nothing}")), env)
    with pytest.raises(DataError, match="can't be played again"):
        with_observations(
            replace(made, messages=("<tool_call>{</tool_call>", made.messages[-1])), env
        )


def test_encoded_demonstrations_are_kept_up_to_a_size(env, encoder):
    made = list(Synthesis(env, replace(TINY, n=3)).run())
    kept = EncodedDemonstrations(made, encoder)
    assert kept[1] is kept[1]
    assert [len(each) for each in kept[:2]] == [len(kept[0]), len(kept[1])]
    none_kept = EncodedDemonstrations(made, encoder, cache_bytes=0)
    assert none_kept[1] is not none_kept[1]
    assert np.array_equal(none_kept[1].ids, kept[1].ids)


def test_an_encoder_of_another_dialect_is_refused(env, encoder):
    made = Synthesis(env, SINGLE).make(0)
    with pytest.raises(ConfigError, match="expected an encoder of the dialect 'mini-o3'"):
        encode(replace(made, dialect="mini-o3"), encoder)
