"""Demonstrations can be made in every dialect, and a model can be evaluated in every one."""

from dataclasses import replace

import gymnasium as gym
import pytest
from tiny_models import tiny_processor, tiny_tokenizer
from tiny_tasks import ClipTask, PictureTask

from pixel_env import Evidence, PixelReasoningEnv
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.tiny.model import blank_model, save, train_tokenizer
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.demonstration import encode, with_observations
from pixel_env.agents.warm_start.synthesis import Synthesis
from pixel_env.dialects import DIALECTS, get_dialect
from pixel_env.media.geometry import FULL

SEARCH = "PixelReason-SyntheticSearch-v0"
WITHOUT_FRAMES = ("deepeyes", "mini-o3")
KINDS = DemonstrationConfig(n=10, wording="brief", box_step=0.05, square_side=0.25, jitter=0.5)
every = pytest.mark.parametrize("name", DIALECTS)


@pytest.fixture(scope="module")
def search():
    return gym.make(SEARCH, split="train", options=True)


@every
def test_demonstrations_solve_their_samples(search, name):
    made = list(Synthesis(search, KINDS, name).run())
    assert len(made) == KINDS.n
    assert {each.kind for each in made} > {"single_pass", "zoom_further", "text_only"}
    encoder = Encoder(tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect(name))
    for demonstration in made:
        assert (demonstration.score, demonstration.dialect) == (1.0, name)
        assert with_observations(demonstration, search).score == 1.0
    single = next(each for each in made if each.kind == "single_pass")
    trajectory = encode(single, encoder)
    assert len(trajectory.images) == 2
    trained = encoder.texts([trajectory.ids[trajectory.trainable]])[0]
    assert trained == "<|im_end|>".join(single.messages)


@every
def test_the_default_wording_can_hold_any_thought(search, name):
    config = DemonstrationConfig(n=4, seed=1)
    assert [each.score for each in Synthesis(search, config, name).run()] == [1.0] * 4


class HiddenFrame(ClipTask):
    """The answer is in the third frame."""

    def __getitem__(self, index):
        return replace(super().__getitem__(index), evidence=(Evidence(FULL, image=3),))


@every
def test_clips_are_demonstrated_where_frames_can_be_selected(name):
    small = {"overview_px": (28 * 28, 28 * 28), "frame_px": (56 * 56, 56 * 56)}
    env = PixelReasoningEnv(HiddenFrame(n_frames=4), **small)
    synthesis = Synthesis(env, DemonstrationConfig(n=1, text_only=0.0), name)
    made = list(synthesis.run())
    if name in WITHOUT_FRAMES:
        assert made == []
        assert synthesis.dropped["the dialect can't write a call that is needed"] == 64
    else:
        assert [each.score for each in made] == [1.0]


class SecondPicture(PictureTask):
    """Two pictures; the answer is in the second."""

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        evidence = (Evidence((0.7, 0.7, 0.8, 0.8), image=2),)
        return replace(sample, media=sample.media * 2, evidence=evidence)


@every
def test_a_picture_that_the_dialect_cannot_look_into_is_left_out(name):
    small = {"overview_px": (112 * 112, 112 * 112), "crop_px": (56 * 56, 56 * 56)}
    env = PixelReasoningEnv(SecondPicture(3, 200, 160), **small)
    config = DemonstrationConfig(n=1, text_only=0.0)
    assert len(list(Synthesis(env, config, name).run())) == (name != "deepeyes")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    tokenizer = train_tokenizer(["Which letter is on the red shape? <tool_call> <answer>B"] * 9)
    folder = tmp_path_factory.mktemp("model")
    save(folder, blank_model(tokenizer), tokenizer)
    return folder


@every
def test_a_model_is_evaluated_in_every_dialect(model, name):
    system = "brief" if name == "mini-o3" else "full"
    policy = make_policy(f"vlm:{model}", dialect=name, system=system, max_new_tokens=3)
    done = evaluate(policy, EvaluationConfig(SEARCH, {"split": "test"}, samples=1))
    assert done.manifest["dialect"] == policy.dialect == name
    assert done.manifest["policy_settings"]["system"] == system
    assert len(done.results) == 1
    assert done.results[0].env_error == ""
