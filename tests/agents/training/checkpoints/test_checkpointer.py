"""A checkpoint is whole or absent, and restores everything bit for bit."""

import copy
import json
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from tiny_models import tiny_model

from pixel_env.agents.model.loading import add_adapters
from pixel_env.agents.model.settings import LoraSettings
from pixel_env.agents.tokens.trajectory import Piece, TrajectoryBuilder
from pixel_env.agents.training.checkpoints import sealed_folder
from pixel_env.agents.training.checkpoints.checkpointer import Checkpointer, Training, restore
from pixel_env.agents.training.checkpoints.weights import load_weights
from pixel_env.errors import ConfigError, DataError


@dataclass(frozen=True)
class Settings:
    rate: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    log_every: int = 1


class TiedNetwork(torch.nn.Module):
    """Two layers that share one weight, as a language model's embedding and output do."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.second = torch.nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).tanh())


def training(seed=0, config=None):
    torch.manual_seed(seed)
    network = TiedNetwork()
    return Training(network, torch.optim.AdamW(network.parameters(), lr=0.05), config)


def step(run, generator=None):
    noise = torch.randn(3, 4, generator=generator)
    loss = run.model(noise).pow(2).mean() + random.random() + float(np.random.rand())
    loss.backward()
    run.optimizer.step()
    run.optimizer.zero_grad()
    return float(loss.detach())


def trajectory(seed):
    record = TrajectoryBuilder()
    record.add_prompt(Piece(np.arange(seed + 3)))
    record.add_response(np.arange(2))
    return record.build(sample_id=f"sample-{seed}")


def damage(path):
    """Flips one bit in the middle of a file; its size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def same_weights(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_restored_training_goes_on_bit_for_bit(tmp_path):
    run, generator = training(), torch.Generator().manual_seed(5)
    for _ in range(3):
        step(run, generator)
    Checkpointer(tmp_path).save(3, replace(run, generators={"noise": generator}))
    expected = [step(run, generator) for _ in range(4)]
    other, fresh = training(seed=9), torch.Generator()
    assert step(other) not in expected
    progress = Checkpointer(tmp_path).load(replace(other, generators={"noise": fresh}))
    assert progress.step == 3
    assert [step(other, fresh) for _ in range(4)] == expected
    assert same_weights(run.model, other.model)


def test_without_the_optimizer_state_training_goes_on_differently(tmp_path):
    run = training()
    step(run)
    Checkpointer(tmp_path).save(1, run)
    expected = [step(run) for _ in range(2)]
    other = training(seed=9)
    Checkpointer(tmp_path).load(Training(other.model))
    assert [step(other) for _ in range(2)] != expected


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    run = training()
    path = Checkpointer(tmp_path).save(1, Training(run.model))
    assert (path / "model.safetensors").stat().st_size < 4 * (16 + 8) + 400
    other = training(seed=1).model
    load_weights(path, other)
    assert other.first.weight is other.second.weight
    assert same_weights(run.model, other)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: np.random.default_rng(seed),
        lambda seed: np.random.Generator(np.random.MT19937(seed)),
        lambda seed: np.random.Generator(np.random.Philox(seed)),
        lambda seed: np.random.Generator(np.random.SFC64(seed)),
        lambda seed: random.Random(seed),
    ],
)
def test_every_sort_of_generator_goes_on_where_it_was(tmp_path, make):
    saved = make(1)
    saved.random()
    Checkpointer(tmp_path).save(0, Training(torch.nn.Linear(1, 1), generators={"draws": saved}))
    expected = [saved.random() for _ in range(3)]
    restored = make(2)
    Checkpointer(tmp_path).load(Training(torch.nn.Linear(1, 1), generators={"draws": restored}))
    assert [restored.random() for _ in range(3)] == expected


def test_a_generator_that_was_not_saved_is_an_error(tmp_path):
    run = training()
    Checkpointer(tmp_path).save(0, run)
    with pytest.raises(ConfigError, match="'late'"):
        Checkpointer(tmp_path).load(replace(run, generators={"late": random.Random()}))


def test_state_tensors_and_trajectories_come_back(tmp_path):
    run, kept = training(), [trajectory(0), trajectory(1)]
    Checkpointer(tmp_path).save(
        2,
        run,
        state={"place": (3, 4), "mean": np.float32(0.5)},
        tensors={"average": {"w": torch.arange(6).reshape(2, 3)}},
        trajectories={"replay": kept},
    )
    progress = Checkpointer(tmp_path).load(run)
    assert progress.state == {"place": [3, 4], "mean": 0.5}
    assert torch.equal(progress.tensors["average"]["w"], torch.arange(6).reshape(2, 3))
    assert [t.sample_id for t in progress.trajectories["replay"]] == ["sample-0", "sample-1"]


def test_state_that_json_does_not_know_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"state\.bad\[1\]"):
        Checkpointer(tmp_path).save(1, training(), state={"bad": [1, object()]})
    assert Checkpointer(tmp_path).latest() is None


def test_only_the_newest_are_kept_and_best_is_apart(tmp_path):
    run, checkpoints = training(), Checkpointer(tmp_path, keep=2)
    checkpoints.best.save(1, run)
    for number in (1, 2, 3):
        checkpoints.save(number, run)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best", "step-00000002", "step-00000003"]
    checkpoints.best.save(3, run)
    assert [p.name for p in (tmp_path / "best").iterdir()] == ["step-00000003"]
    assert checkpoints.latest().name == "step-00000003"


def test_saving_a_step_again_replaces_it(tmp_path):
    checkpoints = Checkpointer(tmp_path)
    checkpoints.save(1, training(), state={"try": 1})
    checkpoints.save(1, training(), state={"try": 2})
    assert checkpoints.load(training()).state == {"try": 2}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_killed_while_saving_leaves_the_one_before(tmp_path, monkeypatch):
    run, checkpoints = training(), Checkpointer(tmp_path)
    checkpoints.save(1, run)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sealed_folder, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.save(2, run)
    assert checkpoints.latest().name == "step-00000001"
    assert checkpoints.load(run).step == 1
    checkpoints.save(3, run)
    assert not list(tmp_path.glob(".writing-*"))


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "state.json"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path, name):
    run, checkpoints = training(), Checkpointer(tmp_path)
    checkpoints.save(1, run)
    damage(checkpoints.save(2, run) / name)
    assert checkpoints.latest().name == "step-00000001"
    with pytest.warns(UserWarning, match=f"step-00000002: {name} is damaged"):
        assert checkpoints.load(run).step == 1
    checkpoints.save(3, run)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["damaged-step-00000002", "step-00000001", "step-00000003"]


def test_only_damaged_checkpoints_are_one_error(tmp_path):
    run, checkpoints = training(), Checkpointer(tmp_path)
    path = checkpoints.save(1, run)
    (path / "state.json").unlink()
    with pytest.raises(DataError, match=r"step-00000001: state\.json is missing"):
        restore(path, run)
    with (
        pytest.warns(UserWarning, match="missing"),
        pytest.raises(DataError, match="every checkpoint is damaged"),
    ):
        checkpoints.load(run)


def test_a_truncated_manifest_is_no_checkpoint(tmp_path):
    checkpoints = Checkpointer(tmp_path)
    manifest = checkpoints.save(1, training()) / "manifest.json"
    manifest.write_text(manifest.read_text()[:20])
    assert checkpoints.latest() is None


def test_an_empty_or_absent_folder_gives_nothing(tmp_path):
    assert Checkpointer(tmp_path).load(training()) is None
    assert Checkpointer(tmp_path / "absent").latest() is None


def test_a_config_that_differs_is_named_and_changes_nothing(tmp_path):
    checkpoints = Checkpointer(tmp_path)
    checkpoints.save(1, training(config=Settings()))
    other = training(seed=3, config=Settings(betas=(0.9, 0.95)))
    before = copy.deepcopy(other.model)
    with pytest.raises(ConfigError, match=r"betas must be as it was saved: \[0.9, 0.99\]"):
        checkpoints.load(other)
    assert same_weights(before, other.model)


def test_fields_that_may_differ_are_not_compared(tmp_path):
    checkpoints = Checkpointer(tmp_path)
    checkpoints.save(1, training(config=Settings()))
    other = training(config=Settings(log_every=5))
    assert checkpoints.load(other, may_differ=["log_every"]).step == 1
    with pytest.raises(ConfigError, match="log_every"):
        checkpoints.load(other)


def test_weights_of_another_model_are_a_config_error(tmp_path):
    path = Checkpointer(tmp_path).save(1, Training(torch.nn.Linear(2, 3)))
    with pytest.raises(ConfigError, match="another model"):
        load_weights(path, torch.nn.Linear(2, 4))
    with pytest.raises(ConfigError, match="without an optimizer"):
        Checkpointer(tmp_path).load(
            Training(torch.nn.Linear(2, 3), torch.optim.AdamW(torch.nn.Linear(2, 3).parameters()))
        )


def test_of_an_adapted_model_only_the_adapter_is_saved(tmp_path):
    def adapted(seed):
        model = add_adapters(tiny_model("qwen2_5_vl"), LoraSettings(rank=2, alpha=4))
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.normal_()
        return model

    model, other = adapted(0), adapted(1)
    path = Checkpointer(tmp_path).save(1, Training(model))
    assert {p.name for p in path.iterdir()} >= {"adapter.safetensors"}
    assert not (path / "model.safetensors").exists()
    assert not same_weights(model, other)
    load_weights(path, other)
    assert same_weights(model, other)
    with pytest.raises(ConfigError, match="holds an adapter, the model has none"):
        load_weights(path, tiny_model("qwen2_5_vl"))


def test_a_checkpoint_holds_no_pickle_but_the_optimizers_tensors(tmp_path):
    run = training(config=Settings())
    step(run)
    path = Checkpointer(tmp_path).save(1, run, trajectories={"replay": [trajectory(0)]})
    endings = {p.suffix for p in path.iterdir()}
    assert endings == {".safetensors", ".json", ".pt"}
    torch.load(path / "optimizer.pt", weights_only=True)
    assert json.loads((path / "state.json").read_text())["config"]["rate"] == 0.1
