"""A training that is killed at random moments, again and again; run as a process of its own.

    python tests/agents/killed_training.py FOLDER KILLS

Each life of the training is a fork of this process, so that nothing is imported twice. It tells of
every iteration that is saved; then, a random moment later, SIGKILL comes.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from bandit import Bandit, parts

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.training.checkpoints.sealed_folder import fault_of

CONFIG = OnPolicyConfig(
    iterations=1000,
    group_size=2,
    groups_per_iteration=2,
    learning_rate=0.01,
    warmup_share=0.0,
    generation=GenerationConfig(max_new_tokens=1),
    checkpoint_every=1,
    record_every=3,
)


def train(folder, iterations=CONFIG.iterations, tell=lambda iteration: None):
    model, encoder = parts()
    trainer = OnPolicyTrainer(model, encoder, TrainingLanes(Bandit(4), 5), CONFIG, folder)

    def note(iteration, metrics, warnings):
        tell(iteration)
        if iteration == iterations:
            raise StopIteration

    try:
        trainer.train(resume=True, on_iteration=note)
    except StopIteration:
        return


def live_and_die(folder, moments):
    """Lets the training live for some iterations; returns the last one it reported as saved."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        train(folder, tell=lambda iteration: os.write(writing, b"%d\n" % iteration))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as reports:
        for _ in range(moments.randrange(3)):
            reports.readline()
        time.sleep(moments.random() * 0.15)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        saved = reports.read().split()
    return int(saved[-1]) if saved else 0


def main(folder, n_kills):
    torch.set_num_threads(1)
    moments = random.Random(0)
    checkpoints = folder / "checkpoints"
    newest = 0
    for _ in range(n_kills):
        last_saved = live_and_die(folder, moments)
        kept = sorted(checkpoints.glob("step-*")) if checkpoints.exists() else []
        assert all(fault_of(path) == "" for path in kept), "a damaged checkpoint"
        assert len(kept) <= CONFIG.keep_checkpoints + 1
        step = int(kept[-1].name.removeprefix("step-")) if kept else 0
        assert step >= max(last_saved, newest), "work was lost that had been saved"
        newest = step
    print(newest)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
