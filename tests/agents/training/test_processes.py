"""Two processes learn what one learns: they share the work, and take the same steps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import tiny_model
from two_processes import imitate, reinforce

from pixel_env import ConfigError
from pixel_env.agents.model.folders import BASE_WEIGHTS
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.agents.training.processes import ONE_PROCESS, Processes
from pixel_env.agents.training.sharding import Sharding

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder that two processes left."""
    folder = tmp_path_factory.mktemp("together")
    command = "-m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1"
    options = "--mixed_precision no --dynamo_backend no --main_process_port 0"
    script = [str(HERE / "two_processes.py"), str(folder)]
    done = subprocess.run(
        [sys.executable, *command.split(), *options.split(), *script],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder and the weights of one process."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("alone")
    found = {"imitation": imitate(folder / "imitation"), "rl": reinforce(folder / "rl")}
    return folder, found


ROUNDING = 1e-5
"""What rounding may do to a weight of about 1 in ten steps of `smooth_steps`, with room."""


@pytest.mark.parametrize("kind", ["whole", "spread"])
@pytest.mark.parametrize("training", ["imitation", "rl"])
def test_two_processes_give_the_parameters_of_one_also_over_a_restart(
    together, alone, training, kind
):
    got = load_file(together / f"{training}-{kind}.safetensors")
    expected = alone[1][training]
    assert set(got) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, rtol=ROUNDING, atol=ROUNDING, msg=name)


@pytest.mark.parametrize("kind", ["whole", "spread"])
@pytest.mark.parametrize(("training", "n_steps"), [("imitation", 4), ("rl", 3)])
def test_metrics_are_those_of_all_rollouts_and_written_once(
    together, alone, training, n_steps, kind
):
    """Among them the gradient's norm before clipping, which hides a wrong scale from weights."""
    got, expected = read_metrics(together / f"{training}-{kind}"), read_metrics(alone[0] / training)
    assert [row["step"] for row in got] == list(range(1, n_steps + 1))
    for one, other in zip(got, expected, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            if "seconds" not in name and "per_second" not in name:
                assert (one[name] is None) == (value is None), name
                if value is not None:
                    assert one[name] == pytest.approx(value, rel=1e-3, abs=1e-5), name


def test_the_compared_training_refills_groups_and_replays_rollouts(alone):
    rows = read_metrics(alone[0] / "rl")
    assert any(row["groups/refilled"] for row in rows)
    assert any(row["replay/share"] for row in rows)


def test_the_command_trains_in_several_processes_and_exports_whole_weights(together):
    run = together / "run"
    assert (run / "report.md").read_text().startswith("# tiny on PixelReason")
    whole, base = (load_file(f / "model.safetensors") for f in (run / "model", BASE_WEIGHTS))
    assert {k: v.shape for k, v in whole.items()} == {k: v.shape for k, v in base.items()}
    assert any(not torch.equal(whole[name], base[name]) for name in base)
    (row,) = read_metrics(run / "on_policy")
    assert 0 <= row["evaluation/accuracy"] <= 1
    assert (run / "on_policy" / "checkpoints" / "best" / "step-00000001").is_dir()
    recorded = sorted(path.name for path in (run / "on_policy" / "rollouts").iterdir())
    assert recorded == ["iteration-00000001", "iteration-00000001-process-1"]


def test_one_process_sends_nothing():
    alone = ONE_PROCESS
    assert (alone.rank, alone.count, alone.is_first) == (0, 1, True)
    assert (alone.gather("a"), alone.total(2.5), alone.run_in_first(lambda: 3)) == (["a"], 2.5, 3)


@pytest.mark.parametrize("n", [0, 1, 7, 8])
def test_shares_are_whole_and_even(n):
    shares = [list(Processes(rank, 3).share(n)) for rank in range(3)]
    assert [each for share in shares for each in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_has_nobody_to_spread_weights_over():
    with pytest.raises(ConfigError, match="several processes"):
        Sharding(tiny_model("qwen2_5_vl"), torch.float32, ONE_PROCESS)
