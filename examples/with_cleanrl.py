"""PPO as CleanRL writes it, in one short file, run with torch 2.13.0.

    python examples/with_cleanrl.py 200000

`ppo_in_one_file.py` is the longer one, with a network that can read and the curiosity bonus.
"""

import sys

import gymnasium as gym
import torch
from torch import nn
from torch.distributions import Categorical

envs = gym.make_vec("pixel_env:PixelReason-SmallSearch-Flat-v0", 8, autoreset_mode="SameStep")
seen, n_actions = torch.as_tensor(envs.reset(seed=0)[0]), envs.single_action_space.n
agent = nn.Sequential(nn.Linear(seen.shape[1], 64), nn.Tanh(), nn.Linear(64, n_actions + 1))
optimizer = torch.optim.Adam(agent.parameters(), lr=1e-3)


def judge(seen):
    logits, value = agent(seen).tensor_split([-1], dim=-1)
    return Categorical(logits=logits), value.squeeze(-1)


for _ in range(0, int(sys.argv[1]), 8 * 64):
    rollout = []
    for _ in range(64):
        policy, value = judge(seen)
        action = policy.sample()
        after, reward, end, cut = map(torch.as_tensor, envs.step(action.numpy())[:4])
        log = policy.log_prob(action).detach()
        rollout, seen = [*rollout, (seen, action, log, value.detach(), reward, end | cut)], after
    following = judge(seen)[1].detach()
    returns = [following := reward + following * ~end for *_, reward, end in rollout[::-1]]
    past, actions, logs, values, rewards, ends = map(torch.cat, zip(*rollout, strict=True))
    for _ in range(4):
        policy, value = judge(past)
        ratio, gains = (policy.log_prob(actions) - logs).exp(), torch.cat(returns[::-1]) - values
        surrogate = torch.min(ratio * gains, ratio.clamp(0.8, 1.2) * gains)
        loss = ((value - values - gains) ** 2 / 2 - surrogate - 0.02 * policy.entropy()).mean()
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    print(f"accuracy {rewards.sum() / ends.sum():.1%} of {ends.sum()} episodes")
