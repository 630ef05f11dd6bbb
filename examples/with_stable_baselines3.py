"""PPO of stable-baselines3, run with stable_baselines3 2.9.2, by an environment's id alone.

    python examples/with_stable_baselines3.py 100000

`pixel-reason train-sb3` has what it takes to learn to look: docs/sb3.md.
"""

import sys

from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import pixel_env  # noqa: F401  # registers the ids

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
envs = make_vec_env("PixelReason-SmallSearch-Flat-v0", n_envs=4, seed=0)
model = PPO("MlpPolicy", envs, n_steps=64, n_epochs=4, gamma=1.0, seed=0, device="cpu")
model.learn(steps)
test = make_vec_env("PixelReason-SmallSearch-Flat-v0", env_kwargs={"split": "test"}, seed=1)
mean, _ = evaluate_policy(model, test, n_eval_episodes=20)
print(f"accuracy {mean:.1%} on 20 unseen samples after {model.num_timesteps:,} steps")
