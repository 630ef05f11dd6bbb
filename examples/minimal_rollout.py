"""The smallest loop over episodes: reset, act until the episode ends, collect the score.

    python examples/minimal_rollout.py --episodes 20

Replace `policy` by your own. An observation holds what is new in its turn; this policy zooms into
a random quarter of the picture once, then answers with one of the letters in use.
"""

import argparse
from typing import Any

import gymnasium as gym
import numpy as np

import pixel_env

parser = argparse.ArgumentParser()
parser.add_argument("--env", default="PixelReason-SyntheticSearch-v0")
parser.add_argument("--episodes", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

rng = np.random.default_rng(args.seed)


def policy(observation: dict[str, Any]) -> dict[str, Any]:
    """Returns the next action: a zoom in the first turn, an answer in the second."""
    if observation["turn"] == 0:
        x, y = rng.integers(2, size=2) / 2
        return pixel_env.zoom_in([x, y, x + 0.5, y + 0.5], target_image=1)
    return pixel_env.answer(rng.choice(list("HJLOTVXZ")))


env = gym.make(args.env, split="test")
scores = []
for episode in range(args.episodes):
    observation, info = env.reset(seed=args.seed + episode)
    ended = False
    while not ended:
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        ended = terminated or truncated
    scores.append(reward)  # the grade of the answer, in [0, 1]
    print(f"{info['sample_id']}: {observation['question']} scored {reward:.0f}")
print(f"accuracy {np.mean(scores):.1%} over {len(scores)} episodes")
env.close()
