"""PPO as CleanRL writes it, run with torch 2.13.0 and gymnasium 1.4.0: no library of agents.

    python examples/with_cleanrl.py 100000

examples/ppo_in_one_file.py is longer: with a network that can read, the bonus, and comments.
"""

import sys

import gymnasium as gym
import torch
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from torch import nn
from torch.distributions import Categorical

import pixel_env  # noqa: F401  # registers the ids

envs = gym.make_vec("PixelReason-SmallSearch-Flat-v0", 8, autoreset_mode="SameStep")
envs, sizes = RecordEpisodeStatistics(envs), envs.single_action_space.nvec.tolist()


def act(seen, actions=None):
    *logits, value = agent(seen / 255).split([*sizes, 1], dim=-1)
    parts = [Categorical(logits=part) for part in logits]
    actions = torch.stack([p.sample() for p in parts], -1) if actions is None else actions
    logs = sum(p.log_prob(a) for p, a in zip(parts, actions.unbind(-1), strict=True))
    return actions, logs, value.squeeze(-1), sum(p.entropy() for p in parts)


def tensor(observations):
    return torch.cat([torch.as_tensor(o).flatten(1).float() for o in observations.values()], 1)


seen = tensor(envs.reset(seed=0)[0])
agent = nn.Sequential(nn.Linear(seen.shape[1], 64), nn.Tanh(), nn.Linear(64, sum(sizes) + 1))
optimizer = torch.optim.Adam(agent.parameters(), lr=1e-3)
for _ in range(0, int(sys.argv[1]), 8 * 64):
    rollout = []
    for _ in range(64):
        actions, logs, value, _ = (each.detach() for each in act(seen))
        after, reward, terminated, truncated, _ = envs.step(actions.numpy())
        ends = torch.as_tensor(reward).float(), torch.as_tensor(terminated | truncated)
        rollout, seen = [*rollout, (seen, actions, logs, value, *ends)], tensor(after)
    following = act(seen)[2].detach()
    returns = [following := reward + following * ~end for *_, reward, end in rollout[::-1]]
    past, actions, logs, values, *_ = (torch.cat(each) for each in zip(*rollout, strict=True))
    for _ in range(4):
        _, new, value, entropy = act(past, actions)
        ratio, gains = (new - logs).exp(), torch.cat(returns[::-1]) - values
        surrogate = torch.min(ratio * gains, ratio.clamp(0.8, 1.2) * gains)
        loss = ((value - values - gains) ** 2 / 2 - surrogate - 0.02 * entropy).mean()
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    print(f"{envs.episode_count} episodes, {sum(envs.return_queue):.0f} of the last 100 right")
