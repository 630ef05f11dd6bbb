"""A scripted episode through skyrl-gym's registry."""

import json

import skyrl_gym
from data_urls import array_of

ENTRY = "pixel_env.agents.adapters.skyrl:SkyRLEnvironment"


def made(env_id, env_args, index):
    if "pixel_reason" not in skyrl_gym.envs.registration.registry:
        skyrl_gym.register(id="pixel_reason", entry_point=ENTRY)
    row = {"env_id": env_id, "env_args": json.dumps(env_args), "dialect": "pixel-reasoner"}
    return skyrl_gym.make("pixel_reason", extras={**row, "sample_index": index})


def play(env_id, env_args, index, messages):
    env = made(env_id, env_args, index)
    shown, info = env.init([{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}])
    rewards, texts, left_out = [], [], info["left_out"]
    for message in messages:
        given = env.step(message)
        rewards.append(given["reward"])
        left_out |= given["metadata"]["left_out"]
        shown += given["observations"]
        texts += ["".join(texts_of(each)) for each in given["observations"]]
        if given["done"]:
            break
    env.close()
    parts = [part for message in shown[1:] for part in message["content"]]
    pictures = [array_of(part) for part in parts if part["type"] == "image_url"]
    return rewards, texts, pictures, left_out


def texts_of(message):
    return [part["text"] for part in message["content"] if part["type"] == "text"]
