"""What each process of `accelerate launch` does in the tests; takes a folder for its results.

    accelerate launch --cpu --num_processes 2 tests/agents/two_processes.py FOLDER

Run in one process, the same functions give what is expected.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from bandit import Bandit, parts
from safetensors.torch import save_file
from smooth_adam import smooth_steps
from tiny_models import observation, picture

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.agents.training.processes import Processes, end, launched
from pixel_env.agents.training.sharding import shard, sharding_of
from pixel_env.agents.warm_start.config import ImitationConfig
from pixel_env.agents.warm_start.imitation import ImitationTrainer

N_SAMPLES = 7
RL = OnPolicyConfig(
    iterations=3,
    group_size=2,
    groups_per_iteration=5,  # one process has two groups, the other three
    refill_rounds=1,
    learning_rate=0.01,
    warmup_share=0.0,
    generation=GenerationConfig(max_new_tokens=2),
    tokens_per_micro_batch=60,  # and other numbers of micro-batches
    checkpoint_every=2,
    minibatches=2,
    epochs=2,
    replay_fraction=1.0,
    max_grad_norm=0.5,
)
IMITATION = ImitationConfig(
    batch_size=5,
    learning_rate=3e-3,
    epochs=2,
    tokens_per_micro_batch=150,
    checkpoint_every=2,
    log_every=1,
)


def episodes(encoder, n=8):
    """Demonstrations of very different lengths, with pictures."""
    made = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        record = TrajectoryBuilder()
        record.hear(encoder.open(observation("which ball", [picture(rng, "qwen2_5_vl")])))
        record.say(encoder.says("zoom " * (1 + 5 * (seed % 3))))
        made.append(record.build(sample_id=str(seed)))
    return made


def weights(model):
    """Whole weights, as they are saved; spread ones in the first process only."""
    sharding = sharding_of(model)
    return sharding.weights() if sharding else model.state_dict()


def make(spread):
    model, encoder = parts()
    return (shard(model, torch.float32) if spread else model), encoder


def imitate(folder, spread=False, steps=0):
    """Imitates, the second half after a restart; `steps` ends it early."""
    model, encoder = make(spread)
    trainer = ImitationTrainer(model, encoder, episodes(encoder), IMITATION, folder)

    class Stop(Exception):
        pass

    def stop(step, metrics):
        if step == steps:
            raise Stop

    try:
        with smooth_steps():
            trainer.train(resume=True, on_step=stop)
    except Stop:
        return imitate(folder, spread)
    return weights(model)


def reinforce(folder, spread=False, last=RL.iterations):
    """Trains on rollouts; goes on from a checkpoint in a folder that has one."""
    model, encoder = make(spread)
    n_groups = -(-RL.groups_per_iteration // Processes.current().count)
    trainer = OnPolicyTrainer(
        model, encoder, Bandit(n_groups * RL.group_size), RL, N_SAMPLES, folder
    )

    class Stop(Exception):
        pass

    def stop(iteration, metrics, warnings):
        if iteration == last and last < RL.iterations:
            raise Stop

    try:
        with smooth_steps():
            trainer.train(resume=True, on_iteration=stop)
    except Stop:
        return reinforce(folder, spread)
    return weights(model)


def idle_gradients():
    """Adds up gradients where the first process has none, and one parameter has none anywhere."""
    rank = Processes.current().rank
    parameters = [torch.nn.Parameter(torch.zeros(n)) for n in (2, 3, 4)]
    if rank == 1:
        parameters[0].grad = torch.tensor([1.0, 2.0])
    parameters[1].grad = torch.full((3,), rank + 1.0)
    Processes.current().add_up_gradients(parameters)
    assert parameters[0].grad.tolist() == [1, 2]
    assert parameters[1].grad.tolist() == [3, 3, 3]
    assert parameters[2].grad is None


def failure_is_told():
    """What the first process can't do ends the others too, and not only their patience."""

    def fail():
        raise RuntimeError("no")

    try:
        Processes.current().told_by_first(fail)
    except Exception as error:
        return type(error).__name__
    return ""


def run_the_command(folder):
    """`pixel-reason train`, stopped never, with weights spread."""
    from pixel_env.scripts.train import main

    budget = (
        "--threads 1 --eval-samples 2 --demonstrations.n 4 --imitation.batch-size 4 "
        "--imitation.epochs 1 --on-policy.iterations 1 --on-policy.groups-per-iteration 2 "
        "--on-policy.group-size 2 --on-policy.generation.max-new-tokens 12 --on-policy.minibatches 1 "
        "--on-policy.evaluate-every 1 --on-policy.record-every 2 --sharding true"
    )
    assert main([*budget.split(), "--out", str(folder)]) == 0


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    processes, device = launched("cpu")
    assert (processes.count, device) == (2, "cpu")
    assert processes == Processes.current()
    assert processes.gather(processes.rank) == [0, 1]
    assert failure_is_told() == ("RuntimeError", "ConfigError")[processes.rank]
    idle_gradients()
    for spread in (False, True):
        kind = "spread" if spread else "whole"
        results = {
            f"imitation-{kind}": imitate(folder / f"imitation-{kind}", spread, steps=3),
            f"rl-{kind}": reinforce(folder / f"rl-{kind}", spread, last=2),
        }
        for name, held in results.items():
            everyones = processes.gather({k: v.double().sum().item() for k, v in held.items()})
            if not spread:
                assert everyones[0] == everyones[1]  # both took the same steps, to the bit
            if processes.is_first:
                tensors = {key: value.clone().contiguous() for key, value in held.items()}
                save_file(tensors, folder / f"{name}.safetensors")
    run_the_command(folder / "run")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    end(0)
