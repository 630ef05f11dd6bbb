"""Imitation learns what is trainable and nothing else, and resumes bit for bit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import observation, picture, tiny_encoder, tiny_model

from pixel_env.agents.model.loading import add_adapters, recompute_layers
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.settings import LoraSettings
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.agents.warm_start.config import ImitationConfig
from pixel_env.agents.warm_start.imitation import ImitationTrainer
from pixel_env.errors import ConfigError

QWEN = "qwen2_5_vl"
ENCODER = tiny_encoder(QWEN, system="brief")
FAST = ImitationConfig(batch_size=4, learning_rate=3e-3, epochs=3, warmup_share=0.2, seed=1)


def episode(seed):
    """Two turns; the first message is a wrong call, which is not to be imitated."""
    rng = np.random.default_rng(seed)
    record = TrajectoryBuilder()
    record.add_prompt(ENCODER.open(observation(f"which {seed}", [picture(rng, QWEN)])))
    record.add_response(ENCODER.message_ids("zoom" * (1 + seed % 3)), trainable=False)
    record.add_prompt(ENCODER.follow(observation("ball", [picture(rng, QWEN, 1, 2)])))
    record.add_response(ENCODER.message_ids(f"the colour is {seed}"))
    return record.build(sample_id=str(seed))


@pytest.fixture(scope="module")
def episodes():
    return [episode(seed) for seed in range(10)]


def model(seed=0, scale=1.0):
    return tiny_model(QWEN, seed, scale)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def mean_loss(network, trajectories):
    """The mean negative log-likelihood of the tokens to imitate, in nats."""
    scores = score(network, trajectories, ENCODER)
    return -float(scores.logprobs.sum()) / int(scores.trainable.sum())


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def gradient(trajectories, recomputes=False, **settings):
    """The gradient of one step in float64, before clipping, and the step's loss."""
    network = model(scale=2.0).double()
    if recomputes:
        recompute_layers(network)
    config = replace(FAST, batch_size=len(trajectories), max_grad_norm=1e9, **settings)
    trainer = ImitationTrainer(network, ENCODER, trajectories, config)
    loss, _ = trainer._accumulate(trajectories)
    return loss, torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def with_token(trajectory, index):
    """The same trajectory with another token at `index`."""
    ids = trajectory.ids.copy()
    ids[index] = ids[index] + 1 if ids[index] < 250 else ids[index] - 1
    return replace(trajectory, ids=ids)


def test_the_loss_is_the_mean_over_trainable_tokens_of_the_whole_batch(episodes):
    network = model()
    with torch.no_grad():
        scores = [score(network, [each], ENCODER) for each in episodes]
    n = sum(each.n_trainable for each in episodes)
    expected = -sum(float(each.logprobs.sum()) for each in scores) / n
    assert mean_loss(network, episodes) == pytest.approx(expected, rel=1e-5)
    assert gradient(episodes)[0] == pytest.approx(mean_loss(model(scale=2.0), episodes), rel=1e-4)


@pytest.mark.parametrize("budget", [1, 150, 300])
def test_micro_batches_leave_loss_and_gradient_as_they_are(episodes, budget):
    loss, whole = gradient(episodes)
    loss_in_parts, in_parts = gradient(episodes, tokens_per_micro_batch=budget)
    assert loss_in_parts == pytest.approx(loss, rel=1e-6)
    assert whole.abs().max() > 0.1
    torch.testing.assert_close(in_parts, whole, rtol=1e-5, atol=1e-6)


def test_a_masked_target_does_not_matter_and_a_trainable_one_does():
    trajectory = episode(0)
    last = len(trajectory) - 1  # nothing comes after it, so it is a target only
    masked = replace(trajectory, trainable=trajectory.trainable.copy())
    masked.trainable[last] = False
    loss, before = gradient([masked])
    loss_changed, after = gradient([with_token(masked, last)])
    assert loss_changed == loss
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-6)
    loss, before = gradient([trajectory])
    loss_changed, after = gradient([with_token(trajectory, last)])
    assert abs(loss_changed - loss) > 1e-3
    assert (after - before).abs().max() > 1e-3


def test_the_wrong_call_is_no_target(episodes):
    trajectory = episodes[2]
    wrong = next(turn for turn in trajectory.turns if turn.role == "assistant")
    assert not trajectory.trainable[wrong.start : wrong.stop].any()
    imitated = replace(trajectory, trainable=trajectory.trainable.copy())
    imitated.trainable[wrong.start : wrong.stop] = True
    assert gradient([imitated])[0] != pytest.approx(gradient([trajectory])[0], rel=1e-3)


def test_eight_trajectories_are_learnt_by_heart(episodes):
    network, data = model(), episodes[:8]
    before = mean_loss(network, data)
    config = ImitationConfig(batch_size=8, learning_rate=1e-2, steps=60, schedule="cosine")
    ImitationTrainer(network, ENCODER, data, config).train()
    after = mean_loss(network, data)
    assert before > 3.0
    assert after < 0.05


class Killed(Exception):
    pass


@pytest.mark.parametrize("kill_at", [2, 3, 5])
def test_a_killed_run_goes_on_with_the_same_numbers(tmp_path, episodes, kill_at):
    config = replace(FAST, checkpoint_every=2, log_every=3, weight_decay=0.1)

    def kill(step, metrics):
        if step == kill_at:
            raise Killed

    def run(folder, resume=False, on_step=None):
        network = model(seed=0 if not resume else 8)
        trainer = ImitationTrainer(network, ENCODER, episodes, config, folder)
        trainer.train(resume=resume, on_step=on_step)
        return weights(network)

    def lines(folder):
        measured = ("imitation/seconds", "imitation/tokens_per_second")
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").open()]
        return [{k: v for k, v in line.items() if k not in measured} for line in rows]

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", on_step=kill)
    assert_equal(run(tmp_path / "killed", resume=True), whole)
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")
    assert [line["step"] for line in lines(tmp_path / "whole")] == [3, 6, 9]


def test_every_metric_is_defined(tmp_path, episodes):
    metrics = ImitationTrainer(model(), ENCODER, episodes, FAST, tmp_path).train()
    documented = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
    assert len(metrics) == 7
    assert all(f"| `{name}` |" in documented for name in metrics)


def test_a_finished_run_resumes_to_itself(tmp_path, episodes):
    network = model()
    ImitationTrainer(network, ENCODER, episodes, FAST, tmp_path).train()
    other = model(seed=5)
    assert ImitationTrainer(other, ENCODER, episodes, FAST, tmp_path).train(resume=True) == {}
    assert_equal(weights(other), weights(network))


def test_resuming_otherwise_is_refused(tmp_path, episodes):
    ImitationTrainer(model(), ENCODER, episodes, FAST, tmp_path).train()
    with pytest.raises(ConfigError, match="is there already"):
        ImitationTrainer(model(), ENCODER, episodes, FAST, tmp_path).train()
    other = replace(FAST, learning_rate=1e-3)
    with pytest.raises(ConfigError, match="learning_rate must be as it was saved"):
        ImitationTrainer(model(), ENCODER, episodes, other, tmp_path).train(resume=True)
    with pytest.raises(ConfigError, match="expected 10 demonstrations, got 9"):
        ImitationTrainer(model(), ENCODER, episodes[:9], FAST, tmp_path).train(resume=True)
    may_differ = replace(FAST, checkpoint_every=7, tokens_per_micro_batch=300)
    ImitationTrainer(model(), ENCODER, episodes, may_differ, tmp_path).train(resume=True)


def test_adapters_learn_and_the_weights_under_them_stay(tmp_path, episodes):
    network = model()
    recompute_layers(network)
    adapted = add_adapters(network, LoraSettings(rank=4, alpha=8, dropout=0.1))
    before = weights(adapted)
    first = mean_loss(adapted.eval(), episodes)
    config = replace(FAST, epochs=10, learning_rate=1e-2)
    ImitationTrainer(adapted, ENCODER, episodes, config, tmp_path).train()
    assert mean_loss(adapted, episodes) < 0.8 * first
    changed = {n for n, value in weights(adapted).items() if not torch.equal(value, before[n])}
    assert changed
    assert all("lora_" in name for name in changed)


def test_gradient_checkpointing_gives_the_same_gradient(episodes):
    """Not the same weights after some steps: Adam turns a gradient of 1e-9 into a whole step."""
    loss, plain = gradient(episodes)
    loss_recomputed, recomputed = gradient(episodes, recomputes=True)
    assert loss_recomputed == pytest.approx(loss, rel=1e-6)
    torch.testing.assert_close(recomputed, plain, rtol=1e-5, atol=1e-6)


def test_every_epoch_goes_over_all_data_once_in_a_new_order(episodes):
    trainer = ImitationTrainer(model(), ENCODER, episodes, FAST)
    assert trainer.n_steps == 9
    epochs = [[trainer.batch_of(3 * epoch + i) for i in (1, 2, 3)] for epoch in range(3)]
    orders = [[index for batch in epoch for index in batch] for epoch in epochs]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert [len(batch) for batch in epochs[0]] == [4, 4, 2]
    assert orders[0] != orders[1]


def test_the_rate_warms_up_and_then_falls_or_stays():
    cosine = ImitationConfig(learning_rate=1.0, warmup_share=0.2)
    rates = [cosine.rate_at(step, 10) for step in range(10)]
    assert rates[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert rates[-1] == pytest.approx(0.5 * (1 + np.cos(np.pi * 7 / 8)))
    constant = replace(cosine, schedule="constant")
    assert [constant.rate_at(step, 10) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]
    assert replace(constant, warmup_share=0.0).rate_at(0, 10) == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size >= 1"),
        ({"learning_rate": 0.0}, "learning_rate over 0"),
        ({"warmup_share": 1.5}, "warmup_share"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"log_every": 0}, "log_every"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        ImitationConfig(**settings)


def test_nothing_to_learn_from_or_to_train_is_refused(episodes):
    with pytest.raises(ConfigError, match="at least one demonstration"):
        ImitationTrainer(model(), ENCODER, [], FAST)
    with pytest.raises(ConfigError, match="require gradients"):
        ImitationTrainer(model().requires_grad_(False), ENCODER, episodes, FAST)
    silent = replace(episodes[0], trainable=np.zeros(len(episodes[0]), np.bool_))
    with pytest.raises(ConfigError, match="token to imitate"):
        ImitationTrainer(model(), ENCODER, [silent], FAST).train()


def test_training_in_16_bits_in_place_is_warned_of(episodes, caplog):
    ImitationTrainer(model().to(torch.bfloat16), ENCODER, episodes, FAST)
    assert "rounded away" in caplog.text
