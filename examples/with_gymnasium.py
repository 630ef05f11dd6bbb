"""Plain Gymnasium, run with gymnasium 1.4.0: one episode, then many in lanes.

python examples/with_gymnasium.py
"""

import gymnasium as gym
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import pixel_env

env = gym.make("PixelReason-SyntheticSearch-v0", options=True)
observation, info = env.reset(seed=0)
print(observation["question"], observation["choices"])
observation, *_ = env.step({"operation": "zoom_in", "bbox": [0.5, 0, 1, 0.5]})
print(observation["feedback"], observation["images"][0].shape)
*_, info = env.step({"operation": "answer", "text": "A"})
print(f"the answer {info['answer']} scores {info['grade']['score']}")

envs = RecordEpisodeStatistics(gym.make_vec(env.spec.id, num_envs=4, options=True))
envs.reset(seed=0)
for _ in range(6):  # a lane whose episode has ended is reset by the next step
    envs.step([pixel_env.answer("A")] * 4)
print(f"{envs.episode_count} episodes, {sum(envs.return_queue):.0f} of them right")
