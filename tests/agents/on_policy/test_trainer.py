"""The trainer learns, leaves out what is masked, and goes on after a kill as if nothing was."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bandit import Bandit, parts

from pixel_env import ConfigError
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.loading import add_adapters
from pixel_env.agents.model.settings import LoraSettings
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.loss_config import LossConfig
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.training.checkpoints.weights import load_weights
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.agents.training.schedules import learning_rate_at

SMALL = OnPolicyConfig(
    iterations=4,
    group_size=4,
    groups_per_iteration=4,
    learning_rate=0.01,
    warmup_share=0.0,
    generation=GenerationConfig(max_new_tokens=2),
    tokens_per_micro_batch=120,
    checkpoint_every=2,
    minibatches=2,
    epochs=2,
    replay_fraction=1.0,
)
N_SAMPLES = 7


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def trainer(folder, config=SMALL, env=None, seed=0) -> OnPolicyTrainer:
    model, encoder = parts(seed)
    lanes = TrainingLanes(env or Bandit(config.n_rollouts), N_SAMPLES)
    return OnPolicyTrainer(model, encoder, lanes, config, folder)


def weights(trained: OnPolicyTrainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.model.state_dict().items()}


def numbers(folder: Path) -> list[dict[str, float]]:
    """The metrics that are not times."""
    return [
        {k: v for k, v in row.items() if not k.startswith("seconds/") and k != "tokens/per_second"}
        for row in read_metrics(folder)
    ]


GRPO = {"generation": GenerationConfig(max_new_tokens=1), "minibatches": 1}
GSPO = {
    "generation": GenerationConfig(max_new_tokens=2), "minibatches": 2, "advantage": "mean_std",
    "loss": LossConfig(0.0003, 0.0004, reduction="sequence", ratio_level="sequence"),
}  # fmt: skip


@pytest.mark.parametrize("algorithm", [GRPO, GSPO], ids=["grpo", "gspo"])
def test_group_relative_training_raises_the_reward(tmp_path, algorithm):
    config = replace(
        SMALL, iterations=30, group_size=8, groups_per_iteration=8, learning_rate=0.02,
        tokens_per_micro_batch=4000, epochs=1, checkpoint_every=0, **algorithm,
    )  # fmt: skip
    trainer(tmp_path, config).train()
    rows = read_metrics(tmp_path)
    rewards = [row["reward/mean"] for row in rows]
    assert np.mean(rewards[:3]) < 0.65
    assert np.mean(rewards[-5:]) > 0.85
    if algorithm is GSPO:  # its second step goes on from what the first has moved, and is clipped
        assert max(row["update/clip_share"] for row in rows) > 0.2


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        trainer(tmp_path / name, replace(SMALL, seed=seed, iterations=2)).train()
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")
    assert numbers(tmp_path / "one") != numbers(tmp_path / "three")


class Killed(Exception):
    pass


def kill_after(last):
    def on_iteration(iteration, metrics, warnings):
        if iteration == last:
            raise Killed

    return on_iteration


def test_a_killed_training_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole = trainer(tmp_path / "whole", replace(SMALL, loss=LossConfig(kl_coefficient=0.05)))
    whole.train()
    with pytest.raises(Killed):
        trainer(tmp_path / "killed", replace(SMALL, loss=LossConfig(kl_coefficient=0.05))).train(
            on_iteration=kill_after(3)  # one iteration past the checkpoint
        )
    resumed = trainer(tmp_path / "killed", replace(SMALL, loss=LossConfig(kl_coefficient=0.05)))
    resumed.train(resume=True)
    assert len(numbers(tmp_path / "whole")) == 4
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")
    expected = weights(whole)
    for name, value in weights(resumed).items():
        assert torch.equal(value, expected[name]), name
    assert resumed.replay.state() == whole.replay.state()
    assert len(whole.replay) > 0


def test_a_training_is_extended_and_never_shortened(tmp_path):
    trainer(tmp_path, replace(SMALL, iterations=2)).train()
    longer = trainer(tmp_path, replace(SMALL, iterations=3))
    longer.train(resume=True)
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2, 3]
    n_steps = longer.config.n_steps
    last = learning_rate_at(n_steps - 1, n_steps, SMALL.learning_rate, SMALL.warmup_share)
    assert read_metrics(tmp_path)[2]["update/learning_rate"] == pytest.approx(last)
    with pytest.raises(ConfigError, match="expected iterations of at least 3"):
        trainer(tmp_path, replace(SMALL, iterations=2)).train(resume=True)


def test_resuming_nothing_starts_anew_and_resuming_the_end_does_nothing(tmp_path):
    first = trainer(tmp_path)
    first.train(resume=True)
    again = trainer(tmp_path)
    again.train(resume=True)
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2, 3, 4]
    expected = weights(first)
    assert all(torch.equal(value, expected[name]) for name, value in weights(again).items())


def test_a_folder_with_checkpoints_is_not_trained_over(tmp_path):
    trainer(tmp_path, replace(SMALL, iterations=2)).train()
    with pytest.raises(ConfigError, match="step-00000002 is there: resume it"):
        trainer(tmp_path).train()
    assert len(read_metrics(tmp_path)) == 2


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    trainer(tmp_path).train()
    with pytest.raises(ConfigError, match="learning_rate"):
        trainer(tmp_path, replace(SMALL, learning_rate=0.5)).train(resume=True)
    trainer(tmp_path, replace(SMALL, checkpoint_every=1)).train(resume=True)


def test_samples_are_a_function_of_seed_and_iteration_and_run_in_whole_groups(tmp_path):
    env, later = Bandit(16), Bandit(16)
    trainer(tmp_path / "a", env=env).train()
    trainer(tmp_path / "b", env=later).iterate(3)
    assert later.seen == [env.seen[2]]
    for wave in env.seen:
        assert np.all(np.reshape(wave, (4, 4)) == np.reshape(wave, (4, 4))[:, :1])
    order = [index for wave in env.seen for index in wave[::4]]
    assert sorted(order[:N_SAMPLES]) == list(range(N_SAMPLES))  # a whole pass before a repeat


def test_fewer_lanes_run_the_same_samples_in_waves(tmp_path):
    env, narrow = Bandit(16), Bandit(8)
    trainer(tmp_path / "a", env=env).iterate(1)
    metrics = trainer(tmp_path / "b", env=narrow).iterate(1)
    assert narrow.seen[0] + narrow.seen[1] == env.seen[0]
    assert metrics["update/rollouts"] <= 16


def test_rollouts_that_the_environment_failed_teach_nothing(tmp_path):
    env = Bandit(16, faulty=tuple(range(16)))
    broken = trainer(tmp_path, env=env)
    before = weights(broken)
    metrics = broken.iterate(1)
    assert metrics["rollouts/env_errors"] == 16
    assert metrics["update/steps"] == 0
    assert len(broken.replay) == 0
    assert all(torch.equal(value, before[name]) for name, value in weights(broken).items())


def test_the_first_update_is_on_policy(tmp_path):
    metrics = trainer(tmp_path, replace(SMALL, epochs=1, minibatches=1)).iterate(1)
    assert metrics["update/ratio_max"] == pytest.approx(1, abs=1e-3)
    assert metrics["update/clip_share"] == 0
    assert metrics["update/approx_kl"] == pytest.approx(0, abs=1e-6)


def test_replay_fills_up_what_equal_groups_leave(tmp_path):
    config = replace(SMALL, groups_per_iteration=1, minibatches=1, epochs=1, learning_rate=1e-9)
    run = trainer(tmp_path, config)
    for iteration in range(1, 30):
        metrics = run.iterate(iteration)
        if metrics["advantage/zero_groups"] == 1 and metrics["replay/held"] >= 4:
            break
    assert metrics["replay/share"] == 1
    assert metrics["update/rollouts"] == 4
    assert (
        trainer(tmp_path / "off", replace(config, replay_capacity=0)).iterate(1)["replay/held"] == 0
    )


def test_kl_keeps_the_policy_nearer_to_where_it_started(tmp_path):
    config = replace(SMALL, iterations=2, minibatches=1, epochs=4, checkpoint_every=0)
    far = trainer(tmp_path / "far", replace(config, loss=LossConfig(kl_coefficient=1e-6))).train()
    near = trainer(tmp_path / "near", replace(config, loss=LossConfig(kl_coefficient=5.0))).train()
    assert 0 <= near["update/reference_kl"] < far["update/reference_kl"]


def test_adapters_are_trained_alone_and_are_off_in_the_reference(tmp_path):
    model, encoder = parts()
    model = add_adapters(model, LoraSettings(rank=4, alpha=8))
    loss = LossConfig(kl_coefficient=0.01)
    config = replace(SMALL, loss=loss, minibatches=1, epochs=1, learning_rate=0.05)
    run = OnPolicyTrainer(model, encoder, TrainingLanes(Bandit(16), N_SAMPLES), config, tmp_path)
    before = weights(run)
    assert run.iterate(1)["update/reference_kl"] == pytest.approx(0, abs=1e-6)
    assert run.iterate(2)["update/reference_kl"] > 1e-4
    for name, value in weights(run).items():
        if "lora_B" in name:
            assert not torch.equal(value, before[name]), name
        elif "lora" not in name:
            assert torch.equal(value, before[name]), name


def test_the_evaluation_is_called_when_due_and_logged(tmp_path):
    calls = []

    def evaluate(iteration):
        calls.append(iteration)
        return {"accuracy": iteration / 10}

    trainer(tmp_path, replace(SMALL, evaluate_every=2)).train(evaluate=evaluate)
    assert calls == [2, 4]
    rows = read_metrics(tmp_path)
    assert [row.get("evaluation/accuracy") for row in rows] == [None, 0.2, None, 0.4]


def test_the_best_policy_by_the_evaluation_is_kept_also_over_a_restart(tmp_path):
    accuracies = {1: 0.2, 2: 0.6, 3: 0.5, 4: 0.6}
    config = replace(SMALL, evaluate_every=1, learning_rate=0.05)
    seen = {}

    def evaluate(iteration):
        seen[iteration] = weights(run)
        return {"accuracy": accuracies[iteration], "rapr": -accuracies[iteration]}

    run = trainer(tmp_path, config)
    with pytest.raises(Killed):
        run.train(evaluate=evaluate, on_iteration=kill_after(3))
    run = trainer(tmp_path, config)
    run.train(resume=True, evaluate=evaluate)
    best = run.checkpoints.best.latest()
    assert best == tmp_path / "checkpoints" / "best" / "step-00000002"
    other, _ = parts(5)
    load_weights(best, other)
    assert all(torch.equal(value, seen[2][name]) for name, value in other.state_dict().items())
    with pytest.raises(ConfigError, match="best_by to be one of accuracy, rapr"):
        trainer(tmp_path / "b", replace(config, best_by="score")).train(
            evaluate=lambda iteration: {"accuracy": 0.0, "rapr": 0.0}
        )


def test_a_policy_that_never_looks_is_warned_about_once(tmp_path):
    n_warnings = []
    trainer(tmp_path, replace(SMALL, collapse_patience=2)).train(
        on_iteration=lambda iteration, metrics, warnings: n_warnings.append(len(warnings))
    )
    assert n_warnings == [0, 1, 0, 0]
    assert [row["learning_trap"] for row in read_metrics(tmp_path)] == n_warnings


def test_every_metric_is_defined_in_the_documentation(tmp_path):
    documented = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
    names = set(re.findall(r"^\| `([^`]+)`", documented, flags=re.MULTILINE))
    trainer(tmp_path, replace(SMALL, iterations=1)).train()
    logged = set(read_metrics(tmp_path)[0]) - {"step"}
    assert {"accuracy/even", "accuracy/odd"} <= logged
    logged -= {"accuracy/even", "accuracy/odd"}
    assert logged <= names, logged - names
    assert {"accuracy/<category>", "reward/curiosity", "reward/operations"} <= names


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("group_size", 1), ("iterations", 0), ("learning_rate", 0.0), ("warmup_share", 1.5),
        ("advantage", "median"), ("generation", GenerationConfig(top_p=0.9)),
        ("generation", GenerationConfig(greedy=True)), ("replay_fraction", -0.1),
        ("minibatches", 0),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ConfigError, match=re.sub("_", "[_ ]", setting)):
        replace(SMALL, **{setting: value})


@pytest.mark.parametrize("n_lanes", [6, 10])
def test_lanes_that_groups_do_not_fill_are_refused(tmp_path, n_lanes):
    with pytest.raises(ConfigError, match="lanes"):
        trainer(tmp_path, env=Bandit(n_lanes))
