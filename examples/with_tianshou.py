"""Reinforce of tianshou, run with tianshou 2.0.1, by an environment's id alone.

python examples/with_tianshou.py 100
"""

import sys

import gymnasium as gym
import torch
from tianshou.algorithm import Reinforce
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, MultiDiscreteToDiscrete
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils.net.common import ActionReprNet

import pixel_env  # noqa: F401  # registers the ids


def make():
    return MultiDiscreteToDiscrete(gym.make("PixelReason-SmallSearch-Flat-v0", plain_info=True))


class Net(ActionReprNet):
    def __init__(self, n_actions):
        super().__init__()
        self.layers = torch.nn.LazyLinear(n_actions)

    def forward(self, obs, state=None, info=None):
        seen = [torch.as_tensor(obs[key]).flatten(1).float() for key in ("views", "question")]
        return self.layers(torch.cat([seen[0] / 255, seen[1] / 54], 1)), state


epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
envs, space = DummyVectorEnv([make] * 4), make().action_space
policy = ProbabilisticActorPolicy(
    actor=Net(space.n), dist_fn=lambda logits: torch.distributions.Categorical(logits=logits),
    action_space=space, action_scaling=False, action_bound_method=None,
)  # fmt: skip
algorithm = Reinforce(policy=policy, gamma=1.0, optim=AdamOptimizerFactory(lr=1e-3))
collector = Collector(algorithm, envs, VectorReplayBuffer(1024, 4))
result = algorithm.run_training(
    OnPolicyTrainerParams(
        training_collector=collector, max_epochs=epochs, epoch_num_steps=64,
        collection_step_num_env_steps=32, batch_size=32, show_progress=False, verbose=False,
    )
)  # fmt: skip
print(f"{result.train_episode} episodes in {result.train_step} steps")
