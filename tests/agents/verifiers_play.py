"""A scripted episode through verifiers' environment on loopback, as one play of all adapters."""

from __future__ import annotations

import asyncio
import base64
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import verifiers.v1 as vf
from PIL import Image
from scripted_server import ScriptedServer, completion
from verifiers.v1.utils.loaders import load_environment, resolve_env_config

KEY = "SCRIPTED_KEY"


def reply(text: str) -> dict[str, Any]:
    """Returns a completion with every field that verifiers reads."""
    made = completion(text)
    made["created"] = 0
    made["usage"]["total_tokens"] = sum(made["usage"].values())
    return made


def environment(**settings: Any) -> vf.Env:
    """Loads our environment as verifiers' own commands do."""
    taskset = {"id": "pixel-reason-v1", **settings.pop("taskset")}
    return load_environment(resolve_env_config({"taskset": taskset, **settings}))


def episodes(env: vf.Env, server: ScriptedServer, indices: Sequence[int]) -> list[vf.Episode]:
    """Runs whole episodes against a server."""
    os.environ[KEY] = "x"
    client = vf.EvalClientConfig(base_url=server.url, api_key_var=KEY)
    ctx = vf.ModelContext(model="scripted", client=client)

    async def run() -> list[vf.Episode]:
        async with env.serving():
            tasks = [task for task in env.taskset if task.data.sample_index in indices]
            return [await env.run_episode(task, ctx) for task in tasks]

    return asyncio.run(asyncio.wait_for(run(), 60))


def parts_of(message: Mapping[str, Any]) -> tuple[str, list[np.ndarray]]:
    """Returns a message's text, and its pictures as arrays."""
    content = message["content"]
    if isinstance(content, str):
        return content, []
    text = "".join(part["text"] for part in content if part["type"] == "text")
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    files = [io.BytesIO(base64.b64decode(url.split(",")[1])) for url in urls]
    return text, [np.asarray(Image.open(file)) for file in files]


def play(
    env_id: str, env_args: Mapping[str, Any], index: int, messages: Sequence[str]
) -> tuple[list[float], list[str], list[np.ndarray], bool]:
    """Returns what verifiers got: rewards, texts after messages, pictures, whether left out."""
    server = ScriptedServer(lambda _, number: reply(messages[number]))
    env = environment(
        taskset={"env_id": env_id, "env_args": dict(env_args), "first": index, "n": 1}
    )
    (episode,) = episodes(env, server, [index])
    sent = server.requests[-1].messages if server.requests else []
    shown = [parts_of(each) for each in sent if each["role"] == "user"]
    pictures = [picture for _, pictures in shown for picture in pictures]
    rewards = [trace.reward for trace in episode.traces if episode.ok]
    return rewards, [text for text, _ in shown[1:]], pictures, not episode.ok
