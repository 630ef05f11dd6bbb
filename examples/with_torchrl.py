"""A2C of torchrl, run with torchrl 0.14.1 and tensordict 0.14.3, by an environment's id alone.

python examples/with_torchrl.py 100000
"""

import sys

import torch
from tensordict.nn import TensorDictModule
from torch.distributions import Categorical
from torchrl.collectors import Collector
from torchrl.envs import GymEnv
from torchrl.modules import MLP, ProbabilisticActor, ValueOperator
from torchrl.objectives import A2CLoss

import pixel_env  # noqa: F401  # registers the ids

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
env = GymEnv("PixelReason-SmallSearch-Flat-v0", categorical_action_encoding=True)
(size,) = env.observation_spec["observation"].shape
net = TensorDictModule(MLP(size, env.action_spec.n, num_cells=[64]), ["observation"], ["logits"])
actor = ProbabilisticActor(net, ["logits"], distribution_class=Categorical, spec=env.action_spec)
loss = A2CLoss(actor, ValueOperator(MLP(size, 1, num_cells=[64])), entropy_coeff=0.02)
optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
right = []
for batch in Collector(env, actor, frames_per_batch=64, total_frames=steps):
    terms = loss(batch)
    optimizer.zero_grad()
    sum(terms[name] for name in ("loss_objective", "loss_critic", "loss_entropy")).backward()
    optimizer.step()
    right += batch["next", "reward"][batch["next", "done"]].tolist()
print(f"accuracy {sum(right) / len(right):.1%} over {len(right)} episodes")
