"""A2C of torchrl, run with torchrl 0.14.1 and tensordict 0.14.3, by an environment's id alone.

python examples/with_torchrl.py 100000
"""

import sys

import torch
from tensordict.nn import TensorDictModule
from torch.distributions import Categorical, Independent
from torchrl.collectors import Collector
from torchrl.envs import GymEnv
from torchrl.modules import ProbabilisticActor, ValueOperator
from torchrl.objectives import A2CLoss

import pixel_env  # noqa: F401  # registers the ids

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
env = GymEnv("PixelReason-SmallSearch-Flat-v0", categorical_action_encoding=True)
sizes = env.action_spec.nvec  # how many values each number of an action has
absent = torch.arange(max(sizes)) >= sizes[:, None]


class Net(torch.nn.Sequential):
    def forward(self, views, boxes, counters, question):
        seen = [views.flatten(-3) / 255, boxes, counters, question / 54]
        return super().forward(torch.cat([each.float() for each in seen], -1))


def numbers(logits):
    return Independent(Categorical(logits=logits.unflatten(-1, absent.shape) - 1e9 * absent), 1)


keys = ["views", "boxes", "counters", "question"]
net = TensorDictModule(Net(torch.nn.LazyLinear(absent.numel())), keys, ["logits"])
actor = ProbabilisticActor(net, ["logits"], distribution_class=numbers, spec=env.action_spec)
critic = ValueOperator(Net(torch.nn.LazyLinear(1)), keys)
critic(actor(env.reset()))  # which tells lazy layers their sizes
loss = A2CLoss(actor, critic, entropy_coeff=0.02)
optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
right = []
for batch in Collector(env, actor, frames_per_batch=64, total_frames=steps):
    terms = loss(batch)
    optimizer.zero_grad()
    sum(terms[name] for name in ("loss_objective", "loss_critic", "loss_entropy")).backward()
    optimizer.step()
    ended = batch["next", "done"]
    right += batch["next", "reward"][ended].tolist()
print(f"accuracy {sum(right) / len(right):.1%} over {len(right)} episodes")
