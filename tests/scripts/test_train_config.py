"""Settings from a file: every key is known, options win over it, and the paper's recipe is one."""

import dataclasses
import json
import re
from pathlib import Path

import gymnasium as gym
import pytest
import yaml

from pixel_env import ConfigError
from pixel_env.agents.run.config import RunConfig, large_defaults, tiny_defaults
from pixel_env.config import EnvConfig
from pixel_env.scripts.train import PAGE, TrainOptions, read_options

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "configs" / "pixel_reasoner_7b.yaml"


def config(*arguments):
    """The config that the command line would run."""
    return read_options(list(map(str, arguments)), TrainOptions(), PAGE).run


def leaves(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict) and not key.endswith("_args"):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_the_recipe_is_what_runs_field_by_field():
    made = config("--config", RECIPE)
    for name, value in leaves(yaml.safe_load(RECIPE.read_text())):
        got = made
        for part in name.split("."):
            got = getattr(got, part)
        assert got == value, name
        assert type(got) is type(value), name


def test_the_mixtures_settings_are_the_tiny_policys_but_for_the_environment():
    made = config("--config", ROOT / "configs" / "tiny_mix.yaml")
    assert made == dataclasses.replace(tiny_defaults(), env="PixelReason-SyntheticMix-v0")


def test_the_recipe_is_the_papers():
    made = config("--config", RECIPE)
    rl, demonstrations = made.on_policy, made.demonstrations
    assert (rl.group_size, rl.groups_per_iteration, made.imitation.batch_size) == (8, 512, 128)
    assert rl.n_rollouts / rl.minibatches == 256
    assert 0 <= 15_000 - rl.iterations * rl.groups_per_iteration < 512
    assert (rl.learning_rate, rl.warmup_share) == (1e-6, 0.03)
    assert (rl.loss.clip_low, rl.loss.clip_high) == (0.2, 0.35)
    assert (demonstrations.pixel_space, demonstrations.text_only, demonstrations.n) == (
        5500, 2000, 7500,
    )  # fmt: skip
    assert f"--out {made.warm_start_file}\n" in (ROOT / "docs/reproduce_paper.md").read_text()
    assert (made.curiosity.alpha, made.curiosity.beta, made.curiosity.threshold) == (0.5, 0.05, 0.3)
    for args in (made.env_args, made.eval_args):
        settings = {k: v for k, v in args.items() if k not in ("split", "data_dir")}
        EnvConfig.of(**settings)  # they are settings of the environment
    assert {made.env, made.eval_env} <= set(gym.registry)


def test_every_line_of_the_recipe_names_its_source():
    for line in RECIPE.read_text().splitlines():
        if re.match(r" *\w+: \S", line) and not line.startswith("  split"):
            if re.match(r" *(device|split|preset):", line):
                continue
            assert re.search(r"# .*(paper|released|ours|V\*)", line), line


def test_a_number_that_yaml_takes_for_text_is_read_as_a_number(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("imitation: {learning_rate: 1e-6}\n")
    assert config("--config", path).imitation.learning_rate == 1e-6


def test_options_win_over_the_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 3\non_policy: {group_size: 4, loss: {clip_high: 1}}\n")
    made = config("--config", path, "--on-policy.group-size", "6")
    assert (made.seed, made.on_policy.group_size, made.on_policy.loss.clip_high) == (3, 6, 1.0)
    assert made.imitation == tiny_defaults().imitation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on_policy: {groop_size: 4}", r"on_policy .*'groop_size'.* Did you mean 'group_size'"),
        ("on_policy: {clip_low: 0.1}", r"wrong.yaml: expected settings in on_policy to be one of "),
        ("sed: 1", "Did you mean 'seed'"),
        ("on_policy: 3", "on_policy to hold settings by name"),
        ("imitation: {learning_rate: fast}", "--imitation.learning-rate to be a number, got 'fas"),
        ("- 1", "file to hold settings by name"),
        ("a: [", "can't read settings"),
        ("on_policy: {group_size: 1}", "wrong.yaml: expected --on-policy.group-size >= 2"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        config("--config", path)


@pytest.mark.parametrize(
    ("name", "side"),
    [("qwen2.5-vl-3b", 28), ("Qwen/Qwen3-VL-8B-Instruct", 32), ("qwen3-vl-2b", 32)],
)
def test_a_known_size_begins_with_adapters_and_its_own_tiles(name, side):
    made = config("--model", name)
    assert made.model.startswith("Qwen/Qwen")
    assert made.loading.lora.rank == 32
    assert made.loading.dtype == "bfloat16"
    assert made.loading.gradient_checkpointing
    assert made.env_args["side_multiple"] == made.eval_args["side_multiple"] == side
    assert made == dataclasses.replace(large_defaults(made.model))


def test_a_folder_tells_its_own_kind(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "qwen3_vl", "text_config": {"hidden_size": 2048}})
    )
    assert config("--model", tmp_path).env_args["side_multiple"] == 32
    small = ROOT / "agents" / "base_weights"
    assert config("--model", small) == RunConfig(model=str(small))
