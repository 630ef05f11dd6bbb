"""PPO of RLlib, run with ray 2.60.0 (which pins gymnasium 1.2.2), by an environment's id alone.

python examples/with_rllib.py 100
"""

import sys

from ray.rllib.algorithms.ppo import PPOConfig

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 100
config = (
    PPOConfig()
    .environment("pixel_env:PixelReason-SmallSearch-Flat-v0")
    .env_runners(num_env_runners=0, num_envs_per_env_runner=4, rollout_fragment_length=32)
    .training(train_batch_size=128, minibatch_size=64, num_epochs=4, gamma=1.0)
    .debugging(seed=0)
)
algorithm = config.build_algo()
for _ in range(iterations):
    runners = algorithm.train()["env_runners"]
steps, mean = runners["num_env_steps_sampled_lifetime"], runners["episode_return_mean"]
print(f"accuracy {mean:.1%} after {steps:,.0f} steps")
algorithm.stop()
