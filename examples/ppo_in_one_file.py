"""PPO in one file, after CleanRL: no trainer, no library of agents, to be read top to bottom.

    python examples/ppo_in_one_file.py --steps 200000

It learns on the flat observations and actions of `FlatPixelEnv`. What stable-baselines3 hides is
all here: the vector environment, the rollout, the advantages, the clipped loss.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn
from torch.distributions import Categorical

import pixel_env  # noqa: F401  # its environments are known after the import
from pixel_env.wrappers import CuriosityReward, FlatPixelEnv, RateTracker

parser = argparse.ArgumentParser()
parser.add_argument("--env", default="PixelReason-SmallSearch-v0")
parser.add_argument("--steps", type=int, default=200_000)
parser.add_argument("--n-envs", type=int, default=32)
parser.add_argument("--rollout", type=int, default=64)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

EASY = ["circle", "square", "triangle", "cross"]
EASY += ["top left", "top right", "bottom left", "bottom right"]
LEARNING_RATE, LAMBDA, CLIP, ENTROPY, EPOCHS, MINIBATCHES = 1e-3, 0.95, 0.2, 0.02, 2, 4

torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

# --- environments: the bonus inside, so that it sees the episode; flat arrays outside ---
rates = RateTracker(window=256)
envs = gym.make_vec(
    args.env,
    num_envs=args.n_envs,
    vectorization_mode="sync",
    vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    wrappers=[
        lambda env: CuriosityReward(env, rates, per="all", threshold=0.9),
        lambda env: FlatPixelEnv(
            env, vocabulary=[*"LOTX", *EASY], view_px=56, n_views=2, scales=[0.5], stride=1.0
        ),
    ],
)
sizes = envs.single_action_space.nvec.tolist()  # kind, box, target, frame, answer
# An answer is its kind and its text, a zoom its kind, box, target and frame; the rest is ignored.
used = torch.tensor([[1, 0, 0, 0, 1], [1, 1, 1, 1, 0]])


# --- the agent: an eye on the stacked views, an ear for the question, a head for each factor ---
class Agent(nn.Module):
    """Logits of every factor of an action, and the value of the observation."""

    def __init__(self) -> None:
        super().__init__()
        space = envs.single_observation_space
        channels = space["views"].shape[2]
        self.n_ids, n_numbers = int(space["question"].nvec[0]), space["boxes"].shape[0] + 4
        self.eye = nn.Sequential(
            nn.Conv2d(channels, 16, 5, 2, 2), nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(32, 16, 3, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.LayerNorm(16 * 7 * 7), nn.Linear(16 * 7 * 7, 64), nn.ReLU(),
        )  # fmt: skip
        self.letters = nn.Embedding(self.n_ids, 16)
        self.pieces = nn.Conv1d(16, 64, 5, padding=2)
        self.body = nn.Sequential(nn.Linear(64 + 64 + n_numbers, 128), nn.ReLU())
        self.actor, self.critic = nn.Linear(128, sum(sizes)), nn.Linear(128, 1)
        nn.init.normal_(self.actor.weight, std=0.01)

    def forward(self, seen: dict[str, Tensor]) -> tuple[list[Categorical], Tensor]:
        """Returns a distribution for each factor, and the values; `seen` has a row a lane."""
        views = seen["views"].permute(0, 3, 1, 2) / 127.5 - 1.0
        text = self.pieces(self.letters(seen["question"]).transpose(1, 2)).amax(2).relu()
        numbers = torch.cat([seen["boxes"], seen["counters"]], 1)
        body = self.body(torch.cat([self.eye(views), text, numbers], 1))
        factors = [Categorical(logits=part) for part in self.actor(body).split(sizes, dim=1)]
        return factors, self.critic(body).squeeze(1)


def log_prob(factors: list[Categorical], actions: Tensor) -> Tensor:
    """Returns the log-probability of whole actions, of the factors that their kind uses."""
    each = torch.stack([f.log_prob(a) for f, a in zip(factors, actions.T, strict=True)], 1)
    return (each * used[actions[:, 0]]).sum(1)


def tensors(observations: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Returns the observations as tensors."""
    return {name: torch.as_tensor(array) for name, array in observations.items()}


agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=LEARNING_RATE, eps=1e-5)
observations, _ = envs.reset(seed=args.seed)
right: list[bool] = []

for start in range(0, args.steps, args.n_envs * args.rollout):
    # --- collect: the same number of steps in every environment; ended episodes begin anew ---
    seen, acted, logs, values, rewards, ends = [], [], [], [], [], []
    for _ in range(args.rollout):
        now = tensors(observations)
        with torch.no_grad():
            factors, value = agent(now)
            action = torch.stack([factor.sample() for factor in factors], 1)
            logs.append(log_prob(factors, action))
        observations, reward, terminated, truncated, infos = envs.step(action.numpy())
        seen.append(now), acted.append(action), values.append(value)
        rewards.append(torch.as_tensor(reward, dtype=torch.float32))
        ends.append(torch.as_tensor(terminated | truncated).float())
        final = infos.get("final_info", {})
        answered = final.get("_grade", np.zeros(args.n_envs, bool))
        ended = np.flatnonzero(terminated | truncated)
        right.extend(bool(answered[i] and final["grade"]["correct"][i]) for i in ended)

    # --- advantages, from the last step to the first; nothing is discounted ---
    with torch.no_grad():
        following = agent(tensors(observations))[1]
    advantages, advantage = [], torch.zeros(args.n_envs)
    for reward, value, end in zip(rewards[::-1], values[::-1], ends[::-1], strict=True):
        delta = reward + following * (1 - end) - value
        advantage = delta + LAMBDA * (1 - end) * advantage
        advantages.insert(0, advantage)
        following = value

    # --- update: the clipped surrogate, the value's error, the entropy ---
    batch = {name: torch.cat([step[name] for step in seen]) for name in seen[0]}
    b_acted, b_logs, b_values = torch.cat(acted), torch.cat(logs), torch.cat(values)
    b_advantages = torch.cat(advantages)
    returns = b_advantages + b_values
    for _ in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(b_logs)), MINIBATCHES):
            factors, value = agent({name: array[rows] for name, array in batch.items()})
            gain = b_advantages[rows]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            ratio = (log_prob(factors, b_acted[rows]) - b_logs[rows]).exp()
            surrogate = torch.min(gain * ratio, gain * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
            likely = factors[0].probs @ used.float()  # how often each factor counts
            entropy = (torch.stack([f.entropy() for f in factors], 1) * likely).sum(1).mean()
            error = 0.5 * (value - returns[rows]).square().mean()
            loss = -surrogate + 0.5 * error - ENTROPY * entropy
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    recent = right[-500:]
    print(
        f"{start + len(b_logs):8,} steps, accuracy {np.mean(recent or [0.0]):.1%}, "
        f"entropy {entropy.item():.2f}"
    )
envs.close()
