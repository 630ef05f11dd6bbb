"""OpenEnv's real server on loopback, in a thread of this process, and its real client."""

from __future__ import annotations

import contextlib
import functools
import threading
import time

from data_urls import array_of

from pixel_env.agents.adapters.openenv_client import PixelReasonClient
from pixel_env.agents.adapters.openenv_messages import PixelAction
from pixel_env.agents.adapters.openenv_server import ServedEnvironment, make_app, web_server


@contextlib.contextmanager
def serving(env_id, env_args, **settings):
    """Serves an environment; yields its address, and OpenEnv's server."""
    app, counting = make_app(ServedEnvironment(env_id, dict(env_args), **settings))
    server = web_server(app, "127.0.0.1", 0)
    sockets = [server.config.bind_socket()]
    thread = threading.Thread(target=functools.partial(server.run, sockets), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}", counting
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def play(env_id, env_args, index, messages):
    with serving(env_id, env_args) as (address, _), PixelReasonClient(address).sync() as client:
        result = client.reset(index=index)
        shown, rewards, texts = list(result.observation.messages), [], []
        for message in messages:
            if result.done:
                break
            result = client.step(PixelAction(message=message))
            rewards.append(result.reward)
            if not result.done:
                shown += result.observation.messages
                texts += ["".join(texts_of(each)) for each in result.observation.messages]
    left_out = result.observation.left_out and result.reward is None
    parts = [part for each in shown if each["role"] == "user" for part in each["content"]]
    pictures = [array_of(part) for part in parts if part["type"] == "image_url"]
    return rewards, texts, pictures, left_out


def texts_of(message):
    return [part["text"] for part in message["content"] if part["type"] == "text"]
