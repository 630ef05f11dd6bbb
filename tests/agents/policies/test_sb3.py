"""A policy of stable-baselines3 in the evaluation: same pictures, same actions, same grading."""

import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO

from pixel_env import ConfigError, DataError
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.policies.sb3 import SB3Policy
from pixel_env.agents.policies.sb3_model import NetworkSettings, load_policy, save_policy
from pixel_env.wrappers import FlatPixelEnv

SEARCH = "PixelReason-SyntheticSearch-v0"
ARGUMENTS = {"scene_px": 224, "target_px": 48, "mark_px": 14, "split": "test"}
FLAT = {"vocabulary": "HJLOTVXZ", "view_px": 40, "n_views": 2, "question_chars": 24}
LOOK = NetworkSettings("look", {"width": 8, "text_width": 8, "view_features": 8}, (16,))
STOCK = NetworkSettings("combined", {"cnn_output_dim": 8}, (16,), "tanh")


def flat_env(**arguments):
    flat = {k: v for k, v in FLAT.items() if k != "vocabulary" or not arguments.get("options")}
    return FlatPixelEnv(gym.make(SEARCH, **ARGUMENTS, **arguments), **flat)


def ppo(network=LOOK, env=None, algorithm=PPO):
    """An untrained model that chooses by what it sees: large weights, and no kind is preferred."""
    env = env or flat_env()
    kwargs = network.policy_kwargs()
    model = algorithm("MultiInputPolicy", env, policy_kwargs=kwargs, seed=1, device="cpu")
    net = model.policy.action_net
    with torch.no_grad():
        net.weight.mul_(1000)
        first = [env.reset(options={"index": index})[0] for index in range(12)]
        batch = {name: np.stack([each[name] for each in first]) for name in first[0]}
        seen, _ = model.policy.obs_to_tensor(batch)
        net.bias -= net(model.policy.mlp_extractor(model.policy.extract_features(seen))[0]).mean(0)
    return model


@pytest.fixture(scope="module")
def model():
    return ppo()


@pytest.fixture
def folder(model, tmp_path):
    save_policy(model.policy, tmp_path / "model", flat_env().config, LOOK)
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("network", "algorithm", "arguments"),
    [(LOOK, PPO, {}), (LOOK, PPO, {"options": True}), (STOCK, A2C, {})],
)
def test_it_does_what_the_wrapped_model_predicts(tmp_path, network, algorithm, arguments):
    env = flat_env(**arguments)
    model = ppo(network, env, algorithm)
    save_policy(model.policy, tmp_path / "model", env.config, network)
    kinds = set()
    expected = []
    for index in range(12):
        observation, info = env.reset(options={"index": index})
        ended = False
        while not ended:
            row, _ = model.predict(observation, deterministic=True)
            observation, _, terminated, truncated, info = env.step(row)
            kinds.add(info["operation"])
            ended = terminated or truncated
        expected.append((info.get("answer"), info["n_calls"], info["n_operations"]))
    config = EvaluationConfig(SEARCH, {**ARGUMENTS, **arguments}, samples=12, lanes=5)
    results = evaluate(SB3Policy.load(tmp_path / "model"), config).results
    assert [(r.answer, r.n_calls, r.n_operations) for r in results] == expected
    assert kinds == {"answer", "zoom_in"}  # else this shows little


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_lanes(folder):
    def answers(seed, lanes):
        policy = make_policy(f"sb3:{folder}", greedy=False)
        config = EvaluationConfig(SEARCH, ARGUMENTS, samples=8, lanes=lanes, seed=seed)
        return [(r.answer, r.n_turns) for r in evaluate(policy, config).results]

    assert answers(0, 1) == answers(0, 8)
    assert answers(0, 1) != answers(1, 1)


def test_weights_come_back_bit_for_bit_and_settings_go_into_the_manifest(model, folder):
    policy, flat = load_policy(folder)
    saved = model.policy.state_dict()
    loaded = policy.state_dict()
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)
    assert flat == flat_env().config
    settings = SB3Policy.load(folder).settings()
    assert settings["greedy"] is True
    assert settings["view_px"] == 40


def test_nothing_in_the_folder_is_a_pickle(folder):
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "policy.json",
        "policy.safetensors",
    }
    json.loads((folder / "policy.json").read_text())


def test_a_zip_is_refused_and_not_opened(model, tmp_path):
    model.save(tmp_path / "model.zip")
    with pytest.raises(ConfigError, match="save_policy"):
        make_policy(f"sb3:{tmp_path / 'model.zip'}")


def test_a_damaged_or_missing_folder_is_named(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"policy\.json"):
        make_policy(f"sb3:{tmp_path / 'nowhere'}")
    weights = folder / "policy.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"policy\.safetensors is damaged"):
        make_policy(f"sb3:{folder}")


def test_settings_that_build_another_network_are_refused(model, tmp_path):
    wider = NetworkSettings("look", {"width": 16}, (16,))
    with pytest.raises(ConfigError, match="isn't what the settings build"):
        save_policy(model.policy, tmp_path / "model", flat_env().config, wider)
    with pytest.raises(ConfigError, match="extractor"):
        NetworkSettings("lok")
    with pytest.raises(ConfigError, match="activation"):
        NetworkSettings(activation="gelu")


def test_an_unknown_setting_is_named(folder):
    with pytest.raises(ConfigError, match="greedy"):
        make_policy(f"sb3:{folder}", greed=True)


def test_stable_baselines_own_training_takes_it():
    """A2C of the library on the wrapper, with its own network, steps and learns something."""
    env = FlatPixelEnv(gym.make(SEARCH, **ARGUMENTS), **FLAT)
    model = A2C("MultiInputPolicy", env, n_steps=8, seed=0, device="cpu")
    before = model.policy.action_net.weight.clone()
    model.learn(16)
    assert model.num_timesteps == 16
    assert not torch.equal(before, model.policy.action_net.weight)
    assert np.isfinite(before.detach().numpy()).all()
