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
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.agents.training.placement import Placement
from pixel_env.agents.training.processes import ONE_PROCESS, end, launched
from pixel_env.agents.training.sharding import Sharding
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
        record.add_prompt(encoder.open(observation("which ball", [picture(rng, "qwen2_5_vl")])))
        record.add_response(encoder.message_ids("zoom " * (1 + 5 * (seed % 3))))
        made.append(record.build(sample_id=str(seed)))
    return made


def weights(model, placement):
    """Whole weights, as they are saved; spread ones in the first process only."""
    whole = placement.whole_state_dict()
    return model.state_dict() if whole is None else whole


def make(spread, processes):
    model, encoder = parts()
    sharding = Sharding(model, torch.float32, processes) if spread else None
    return model, encoder, Placement(processes, sharding)


def imitate(folder, spread=False, steps=0, processes=ONE_PROCESS):
    """Imitates, the second half after a restart; `steps` ends it early."""
    model, encoder, placement = make(spread, processes)
    trainer = ImitationTrainer(model, encoder, episodes(encoder), IMITATION, folder, placement)

    class Stop(Exception):
        pass

    def stop(step, metrics):
        if step == steps:
            raise Stop

    try:
        with smooth_steps():
            trainer.train(resume=True, on_step=stop)
    except Stop:
        return imitate(folder, spread, processes=processes)
    return weights(model, placement)


def reinforce(folder, spread=False, last=RL.iterations, processes=ONE_PROCESS):
    """Trains on rollouts; goes on from a checkpoint in a folder that has one."""
    model, encoder, placement = make(spread, processes)
    n_groups = -(-RL.groups_per_iteration // processes.count)
    lanes = TrainingLanes(Bandit(n_groups * RL.group_size), N_SAMPLES)
    trainer = OnPolicyTrainer(model, encoder, lanes, RL, folder, placement)

    class Stop(Exception):
        pass

    def stop(iteration, metrics, warnings):
        if iteration == last and last < RL.iterations:
            raise Stop

    try:
        with smooth_steps():
            trainer.train(resume=True, on_iteration=stop)
    except Stop:
        return reinforce(folder, spread, processes=processes)
    return weights(model, placement)


def idle_gradients(processes):
    """Adds up gradients where the first process has none, and one parameter has none anywhere."""
    parameters = [torch.nn.Parameter(torch.zeros(n)) for n in (2, 3, 4)]
    if processes.rank == 1:
        parameters[0].grad = torch.tensor([1.0, 2.0])
    parameters[1].grad = torch.full((3,), processes.rank + 1.0)
    processes.add_up_gradients(parameters)
    assert parameters[0].grad.tolist() == [1, 2]
    assert parameters[1].grad.tolist() == [3, 3, 3]
    assert parameters[2].grad is None


def failure_is_shared(processes):
    """What the first process can't do ends the others too, and not only their patience."""

    def fail():
        raise RuntimeError("no")

    try:
        processes.run_in_first(fail)
    except Exception as error:
        return type(error).__name__
    return ""


def run_the_command(folder):
    """`pixel-reason train`, stopped never, with weights spread."""
    from pixel_env.scripts.train import main

    budget = (
        "--threads 1 --eval-samples 2 --demonstrations.n 4 --imitation.batch-size 4 "
        "--imitation.epochs 1 --on-policy.iterations 1 --on-policy.groups-per-iteration 2 "
        "--on-policy.group-size 2 --on-policy.generation.max-new-tokens 12 "
        "--on-policy.minibatches 1 --on-policy.evaluate-every 1 --on-policy.record-every 2 "
        "--sharding true"
    )
    assert main([*budget.split(), "--out", str(folder)]) == 0


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    processes, device = launched("cpu")
    assert (processes.count, device) == (2, "cpu")
    assert processes.gather(processes.rank) == [0, 1]
    assert failure_is_shared(processes) == ("RuntimeError", "ConfigError")[processes.rank]
    idle_gradients(processes)
    for spread in (False, True):
        kind = "spread" if spread else "whole"
        results = {
            f"imitation-{kind}": imitate(folder / f"imitation-{kind}", spread, 3, processes),
            f"rl-{kind}": reinforce(folder / f"rl-{kind}", spread, 2, processes),
        }
        for name, tensors_of in results.items():
            everyones = processes.gather(
                {k: v.double().sum().item() for k, v in tensors_of.items()}
            )
            if not spread:
                assert everyones[0] == everyones[1]  # both took the same steps, to the bit
            if processes.is_first:
                tensors = {key: value.clone().contiguous() for key, value in tensors_of.items()}
                save_file(tensors, folder / f"{name}.safetensors")
    run_the_command(folder / "run")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    end(0)
