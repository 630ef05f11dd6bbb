"""Trains the tiny policy for many small iterations and measures the memory that stays in use.

    python scripts/dev/bench_memory.py --iterations 500

Resident memory is read after every iteration, from Linux's /proc. Printed are means over fifths of
the run, the slope over its second half, and what a group's shared pictures take on the host.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.settings import TINY
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.training.host_memory import resident_bytes
from pixel_env.dialects import get_dialect
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

MIB = 2**20
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Trains and prints what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iterations", type=int, default=500, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = OnPolicyConfig(
        iterations=given.iterations,
        groups_per_iteration=2,
        group_size=4,
        generation=GenerationConfig(max_new_tokens=24, max_context=640),
        replay_capacity=32,
        learning_rate=1e-4,
        checkpoint_every=100,
    )
    resident: list[float] = []

    def note(iteration: int, metrics: Mapping[str, float], warnings: list[str]) -> None:
        gc.collect()
        resident.append(resident_bytes() / MIB)

    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(config, Path(folder))
        trainer.train(on_iteration=note)
    _show(np.array(resident), trainer)


def _trainer(config: OnPolicyConfig, folder: Path) -> OnPolicyTrainer:
    parts = load(TINY)
    encoder = Encoder(parts.tokenizer, parts.image_processor, get_dialect("pixel-reasoner"), "none")
    lanes = PixelReasoningVectorEnv.from_id(
        "PixelReason-SyntheticSearch-v0",
        config.n_rollouts,
        wrappers=[lambda env: TextAction(env, "pixel-reasoner")],
        autoreset_mode="Disabled",
        split="train",
    )
    env = GroupCuriosity(lanes, config.group_size)
    training_lanes = TrainingLanes(env, 1_000_000, curiosity=env)
    return OnPolicyTrainer(parts.model, encoder, training_lanes, config, folder)


def _show(resident: np.ndarray[Any, Any], trainer: OnPolicyTrainer) -> None:
    """Prints means of fifths, the slope, and bytes of pictures in the replay buffer."""
    for part in np.array_split(np.arange(len(resident)), 5):
        console.print(
            f"iterations {part[0] + 1} to {part[-1] + 1}: {resident[part].mean():.1f} MiB"
        )
    late = np.arange(len(resident) // 2, len(resident))
    if len(late) > 1:
        slope = np.polyfit(late, resident[late], 1)[0]
        console.print(f"slope over the second half: {1000 * slope:+.2f} MiB in 1000 iterations")
    replayed = trainer.replay.trajectories()
    shown = [image for each in replayed for image in each.images]
    unique = {id(image): image.patches.nbytes for image in shown}
    console.print(
        f"{len(replayed)} replayed rollouts show {len(shown)} pictures: "
        f"{sum(image.patches.nbytes for image in shown) / MIB:.2f} MiB if each had its own, "
        f"{sum(unique.values()) / MIB:.2f} MiB as they are shared"
    )
    console.print(f"settings: {dataclasses.asdict(trainer.config)}")


if __name__ == "__main__":
    main()
