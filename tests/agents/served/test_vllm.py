"""vLLM on CPU serves the tiny policy: the same tokens, the same probabilities, the same episodes.

Run by name, with the interpreter of an environment that has vLLM:

    PIXEL_REASON_VLLM=path/to/python pytest tests/agents/served/test_vllm.py

`docs/serve.md` tells how such an environment is made. The base weights never zoom on their own, so
zooms are scripted where pictures in later turns matter; PIXEL_REASON_VLLM_MODEL names a folder with
a trained policy, which plays the episodes instead.
"""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import gymnasium as gym
import numpy as np
import openai
import pytest
import torch

from pixel_env import zoom_in
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.model.loading import export, load
from pixel_env.agents.model.scoring import score
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.chat import Conversation
from pixel_env.wrappers import TextAction

PYTHON = os.environ.get("PIXEL_REASON_VLLM", "")
MODEL = os.environ.get("PIXEL_REASON_VLLM_MODEL", "tiny")
ID = "PixelReason-SyntheticSearch-v0"
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}
START_S = 600
SETTINGS = {"dialect": "pixel-reasoner", "system": "none", "max_tokens": 48}

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="PIXEL_REASON_VLLM names no interpreter with vLLM"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exports a policy as `pixel-reason export` does."""
    out = tmp_path_factory.mktemp("served") / "model"
    export(load(MODEL), out)
    return out


@pytest.fixture(scope="module")
def url(folder):
    """Starts `vllm serve` and waits until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder.parent / "vllm.log"
    command = [
        PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
        "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port),
        "--dtype", "float32", "--enforce-eager", "--max-model-len", "640",
        "--limit-mm-per-prompt", '{"image": 8, "video": 0}', "--generation-config", "vllm",
    ]  # fmt: skip
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **ENVIRONMENT}, stdout=output, stderr=output
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _wait(health: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(errors="replace")[-4000:]
        try:
            urllib.request.urlopen(health, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"vLLM took longer than {START_S} s to start")


class Remembered:
    """A policy whose messages are kept, by episode."""

    def __init__(self, policy):
        self.policy, self.episodes = policy, []
        self.name, self.dialect = policy.name, policy.dialect

    def reset(self, lane, seed=None):
        self.episodes.append([])
        self.policy.reset(lane, seed)

    def act(self, observations, lanes):
        messages = self.policy.act(observations, lanes)
        self.episodes[-1].extend(messages)  # one lane
        return messages


def played(policy, samples):
    remembered = Remembered(policy)
    config = EvaluationConfig(ID, {"split": "test"}, samples=samples)
    return evaluate(remembered, config), remembered.episodes


def scripted(folder, name):
    """Plays two zooms; gives after each turn the messages, and the encoder with its pieces."""
    parts = load(folder)
    env = TextAction(gym.make(ID), name)
    encoder = Encoder(parts.tokenizer, parts.image_processor, env.dialect, "none")
    conversation, builder = Conversation(env.dialect, "none"), TrajectoryBuilder()
    observation, _ = env.reset(seed=2)
    conversation.observe(observation)
    builder.add_prompt(encoder.open(observation))
    yield conversation.messages, parts, encoder, builder
    for box in ([0.25, 0.25, 0.45, 0.45], [0, 0, 1, 1]):
        written = env.dialect.render(zoom_in(box), env.shown)
        observation = env.step(written)[0]
        ids = encoder.message_ids(written)
        builder.add_response(ids, np.zeros(len(ids), np.float32))
        builder.add_prompt(encoder.follow(observation))
        conversation.respond(written)
        conversation.observe(observation)
        yield conversation.messages, parts, encoder, builder


@pytest.mark.parametrize("name", ["pixel-reasoner", "qwen3-vl", "mini-o3"])
def test_the_server_reads_the_tokens_that_the_encoder_makes(folder, url, name):
    client = openai.OpenAI(base_url=url, api_key="none")
    for messages, parts, encoder, builder in scripted(folder, name):
        reply = client.chat.completions.create(
            model="tiny", messages=messages, max_tokens=12, temperature=0, logprobs=True,
            extra_body={"return_token_ids": True},
        )  # fmt: skip
        told, choice = reply.model_dump(), reply.choices[0]
        whole = builder.until(builder.n_messages + 1)
        assert told["prompt_token_ids"] == whole.build().ids.tolist()
        sampled = np.array(told["choices"][0]["token_ids"], np.int64)
        whole.add_response(sampled, np.zeros(len(sampled), np.float32))
        with torch.no_grad():
            ours = score(parts.model, [whole.build()], encoder).logprobs[0, -len(sampled) :]
        theirs = [each.logprob for each in choice.logprobs.content]
        # The server's sum has the tokens that we never sample; the tiny policy gives them little.
        np.testing.assert_allclose(theirs, ours.numpy(), atol=2e-3)


def test_greedy_episodes_are_equal_token_for_token(folder, url):
    here, ours = played(make_policy(f"vlm:{folder}", **{
        "dialect": "pixel-reasoner", "system": "none", "max_new_tokens": 48, "max_context": 640,
    }), 20)  # fmt: skip
    there, served = played(make_policy(f"openai:{url}#tiny", **SETTINGS), 20)
    assert served == ours
    assert there.overall.accuracy == here.overall.accuracy
    assert MODEL == "tiny" or here.overall.rapr.mean > 0.5  # pictures came in later turns too


def test_sampled_episodes_score_within_their_interval(folder, url):
    config = EvaluationConfig(ID, {"split": "test"}, samples=100, lanes=16)
    here = evaluate(make_policy(f"vlm:{folder}", **{
        "dialect": "pixel-reasoner", "system": "none", "max_new_tokens": 48, "max_context": 640,
        "greedy": False,
    }), config).overall  # fmt: skip
    there = evaluate(make_policy(f"openai:{url}#tiny", temperature=1.0, **SETTINGS), config).overall
    assert here.accuracy.low <= there.accuracy.mean <= here.accuracy.high
    assert max(here.rapr.low, there.rapr.low) <= min(here.rapr.high, there.rapr.high)


def test_auto_processor_takes_the_folder(folder):
    code = (
        "import sys; from transformers import AutoProcessor; "
        "print(type(AutoProcessor.from_pretrained(sys.argv[1])).__name__)"
    )
    done = subprocess.run(
        [PYTHON, "-c", code, str(folder)],
        env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[-1] == "Qwen2_5_VLProcessor"
