"""Whole episodes in a vector environment become trajectories with rewards and facts."""

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, side, tiny_model, tiny_processor, tiny_tokenizer

from pixel_env import ConfigError, DataError, Grade, ImageSource, PixelReasoningEnv, Sample, Task
from pixel_env.agents.generation import collection
from pixel_env.agents.generation.engine import Engine, GenerationConfig
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.scoring import score
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import ENV_ERROR, OVERLONG
from pixel_env.dialects import get_dialect
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
RIGHT, WRONG, NOISE = r"\boxed{red}", r"\boxed{blue}", "hm"


class Colours(Task):
    """Sample i is a picture of noise; sample 1 can't be read."""

    name = "colours"

    def __len__(self):
        return 3

    def __getitem__(self, index):
        def pixels():
            if index == 1:
                raise DataError("a broken file")
            rng = np.random.default_rng(index)
            return rng.integers(0, 256, (160, 160, 3), dtype=np.uint8)

        return Sample(f"s{index}", "which colour?", (ImageSource(pixels),), ("red",))

    def grade(self, sample, answer):
        right = answer == "red"
        return Grade(float(right), right, answer or None)


class Scripted(Encoder):
    """Lets the tokens be the model's and the texts follow a script, lane by lane in turns."""

    script = ()

    def texts(self, messages):
        self.turn = getattr(self, "turn", -1) + 1
        waiting = [lane for lane, plan in enumerate(self.script) if len(plan) > self.turn]
        assert len(waiting) == len(messages)
        return [self.script[lane][self.turn] for lane in waiting]


def make_env(architecture, n_lanes, **settings):
    unit = side(architecture)
    budget = (4 * unit * unit, 9 * unit * unit)
    given = {"overview_px": budget, "crop_px": budget, "side_multiple": unit, "max_turns": 4}

    def make():
        return TextAction(PixelReasoningEnv(Colours(), **(given | settings)))

    return PixelReasoningVectorEnv([make] * n_lanes, autoreset_mode="Disabled")


def make_engine(architecture, script=(), model=None, **settings):
    kind = Scripted if script else Encoder
    encoder = kind(
        tiny_tokenizer(), tiny_processor(architecture), get_dialect("pixel-reasoner"), "none"
    )
    encoder.script = script
    config = GenerationConfig(**({"max_new_tokens": 10, "max_context": 4000} | settings))
    return Engine(model or tiny_model(architecture), encoder, config)


def collect(engine, *args, **kwargs):
    return collection.collect(Session(engine), *args, **kwargs)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_episodes_of_a_group_with_crops_bonus_and_grades(architecture):
    script = [[RIGHT], [ZOOM, RIGHT], [ZOOM, ZOOM, WRONG], [NOISE] * 4]
    engine = make_engine(architecture, script * 2)
    env = GroupCuriosity(make_env(architecture, 8), 4, threshold=1.0)
    trajectories = collect(engine, env, 5, 4, options={"index": [0] * 4 + [2] * 4})
    assert [t.sample_id for t in trajectories] == ["s0"] * 4 + ["s2"] * 4
    assert [t.group for t in trajectories] == [0] * 4 + [1] * 4
    for group in (trajectories[:4], trajectories[4:]):
        assert [t.info["correct"] for t in group] == [True, True, False, False]
        assert [t.info["truncated"] for t in group] == [False, False, False, True]
        assert [t.info["n_operations"] for t in group] == [0, 1, 2, 0]
        assert [t.info["n_messages"] for t in group] == [1, 2, 3, 4]
        assert [len(t.images) for t in group] == [1, 2, 3, 1]
        assert len({id(t.images[0]) for t in group}) == 1
        bonus = 0.5 * (1.0 - 0.5)
        assert [t.reward_terms["curiosity"] for t in group] == [0, bonus, bonus, 0]
        assert [t.reward_terms["score"] for t in group] == [1, 1, 0, 0]
        for t in group:
            assert t.reward == pytest.approx(sum(t.reward_terms.values()))
            assert not t.masked
    with torch.no_grad():
        scores = score(tiny_model(architecture), trajectories, engine.encoder).logprobs.numpy()
    for row, t in zip(scores, trajectories, strict=True):
        assert np.abs(row[: len(t)] - t.logprobs).max() < 1e-4


def test_same_seed_repeats_the_whole_collection():
    first, again, other = (
        collect(make_engine("qwen2_5_vl"), make_env("qwen2_5_vl", 3), seed, env_seed=[4, 4, 4])
        for seed in (1, 1, 2)
    )
    assert [t.ids.tolist() for t in first] == [t.ids.tolist() for t in again]
    assert [t.ids.tolist() for t in first] != [t.ids.tolist() for t in other]


def test_one_session_serves_every_collection_and_keeps_nothing_of_the_last_one():
    session = Session(make_engine("qwen2_5_vl"))
    env = make_env("qwen2_5_vl", 3)
    runs = [
        collection.collect(session, env, seed, env_seed=[4, 4, 4], options={"index": [0, 0, 0]})
        for seed in (1, 2, 1)
    ]
    ids = [[t.ids.tolist() for t in run] for run in runs]
    assert ids[0] == ids[2] != ids[1]
    assert (session._lanes, session._caches) == ({}, [])


def test_a_fault_of_the_data_is_masked():
    trajectories = collect(
        make_engine("qwen2_5_vl", [[RIGHT]] * 2),
        make_env("qwen2_5_vl", 2),
        0,
        options={"index": [0, 1]},
    )
    assert [t.mask_reason for t in trajectories] == ["", ENV_ERROR]
    assert [t.masked for t in trajectories] == [False, True]


def test_an_episode_that_outgrows_the_context_is_masked_and_the_others_go_on():
    limit = 220
    script = [[ZOOM] * 4, [NOISE, RIGHT]]
    first = make_engine("qwen2_5_vl", script)
    whole = collect(first, make_env("qwen2_5_vl", 2), 0, options={"index": [0, 0]})
    assert len(whole[0]) > limit > len(whole[1]) + 10
    short = make_engine(
        "qwen2_5_vl", [plan[: 4 - 2 * (n == 0)] for n, plan in enumerate(script)], max_context=limit
    )
    cut = collect(short, make_env("qwen2_5_vl", 2), 0, options={"index": [0, 0]})
    assert [t.mask_reason for t in cut] == [OVERLONG, ""]
    assert len(cut[0]) <= limit
    assert cut[0].info["truncated"]
    np.testing.assert_array_equal(cut[0].ids, whole[0].ids[: len(cut[0])])
    np.testing.assert_array_equal(cut[1].ids, whole[1].ids)


def test_groups_must_fit_and_share_a_sample():
    engine = make_engine("qwen2_5_vl")
    with pytest.raises(ConfigError, match="divide the 4 lanes, got 3"):
        collect(engine, make_env("qwen2_5_vl", 4), 0, group_size=3)
    with pytest.raises(ConfigError, match="lanes 2 to 3 on one sample, got s0, s2"):
        collect(engine, make_env("qwen2_5_vl", 4), 0, group_size=2, options={"index": [0, 0, 0, 2]})


def test_untrained_text_of_any_kind_ends_every_episode():
    model = tiny_model("qwen2_5_vl", scale=1.0)
    for seed in range(2):
        engine = make_engine("qwen2_5_vl", model=model, temperature=2.0)
        trajectories = collect(engine, make_env("qwen2_5_vl", 6), seed, options={"index": 2})
        assert all(t.info["n_messages"] == 4 for t in trajectories)
