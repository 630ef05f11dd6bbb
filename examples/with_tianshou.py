"""REINFORCE of tianshou, run with tianshou 2.0.1, by an environment's id alone.

python examples/with_tianshou.py 100
"""

import sys

import gymnasium as gym
from tianshou.algorithm import Reinforce
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils.net.common import Net
from tianshou.utils.net.discrete import DiscreteActor, dist_fn_categorical_from_logits


def make():
    return gym.make("pixel_env:PixelReason-SmallSearch-Flat-v0")


epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
seen, space = make().observation_space, make().action_space
net = Net(state_shape=seen.shape, hidden_sizes=[64])
actor = DiscreteActor(preprocess_net=net, action_shape=space.n, softmax_output=False)
policy = ProbabilisticActorPolicy(
    actor=actor, action_space=space, dist_fn=dist_fn_categorical_from_logits,
    action_scaling=False, action_bound_method=None,
)  # fmt: skip
algorithm = Reinforce(policy=policy, gamma=1.0, optim=AdamOptimizerFactory(lr=1e-3))
collector = Collector(algorithm, DummyVectorEnv([make] * 4), VectorReplayBuffer(1024, 4))
result = algorithm.run_training(
    OnPolicyTrainerParams(
        training_collector=collector, max_epochs=epochs, epoch_num_steps=64,
        collection_step_num_env_steps=32, batch_size=32, show_progress=False, verbose=False,
    )
)  # fmt: skip
print(f"{result.train_episode} episodes in {result.train_step} steps")
