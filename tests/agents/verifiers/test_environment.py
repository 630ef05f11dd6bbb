"""verifiers' own environment, interception and client on loopback, against a scripted chat server.

Needs verifiers in an environment of its own, and runs by name:

    pytest tests/agents/verifiers -m slow
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from scripted_server import Reaction, ScriptedServer

import pixel_env
from pixel_env.errors import ConfigError
from pixel_env.wrappers import TextAction

pytest.importorskip("verifiers.v1")

import verifiers_play
from verifiers_play import episodes, play, reply

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ID = "PixelReason-SyntheticSearch-v0"
ARGS = {"split": "test", "options": True}
ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
WRONG = r"\boxed{nothing of this}"


def environment(**settings):
    taskset = {"env_id": ID, "env_args": ARGS, "n": 3, **settings.pop("taskset", {})}
    return verifiers_play.environment(taskset=taskset, **settings)


def right(index=1):
    env = gym.make(ID, **ARGS).unwrapped
    env.reset(options={"index": index})
    return r"\boxed{" + env.sample.answers[0] + "}"


def test_rewards_feedback_and_pixels_are_those_of_gym_make():
    script = [ZOOM, "I don't know.", right()]
    rewards, texts, pictures, left_out = play(ID, ARGS, 1, script)
    env = TextAction(gym.make(ID, **ARGS))
    observation, _ = env.reset(options={"index": 1})
    expected, feedback = list(observation["images"]), []
    for message in script:
        observation, reward, *_ = env.step(message)
        expected += observation["images"]
        feedback.append(observation["feedback"])
    for here, there in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(here, there)
    assert len(texts) == 2
    assert all(each in text for each, text in zip(feedback, texts, strict=False))
    assert (sum(rewards), left_out) == (reward, False)
    assert reward == 1.0


def test_metrics_are_the_facts_of_the_episode():
    script = [ZOOM, "I don't know.", right()]
    server = ScriptedServer(lambda _, number: reply(script[number]))
    (episode,) = episodes(environment(), server, [1])
    (trace,) = episode.traces
    assert trace.metrics == {"score": 1.0, "n_calls": 1.0, "n_operations": 1.0, "video": 0.0}
    roles = [message["role"] for message in server.requests[-1].messages]
    assert roles == ["system", *["user", "assistant"] * 2, "user"]


def test_a_group_is_paid_the_bonus_of_its_own_rate():
    def script(request, number):
        zooms = number == 0 or any(m["content"] == ZOOM for m in request.messages)
        return reply(ZOOM if zooms and len(request.messages) == 2 else WRONG)

    server = ScriptedServer(script)
    (episode,) = episodes(environment(group_size=8), server, [1])
    rewards = sorted(trace.reward for trace in episode.traces)
    # one of eight: 0.5 (0.3 - 1/8)
    assert rewards == pytest.approx([0.0] * 7 + [0.0875])
    assert {trace.metrics["rapr"] for trace in episode.traces} == {0.125}
    assert set(episode.traces[0].rewards) == {"score", "curiosity", "operations"}


def test_a_fault_of_the_data_fails_the_episode_and_nothing_is_scored(monkeypatch):
    honest = pixel_env.PixelReasoningEnv.reset

    def reset(self, **given):
        observation, info = honest(self, **given)
        return observation, info | {"env_error": "row 3: no such file"}

    env = environment()
    monkeypatch.setattr(pixel_env.PixelReasoningEnv, "reset", reset)
    server = ScriptedServer(lambda *_: reply(WRONG))
    (episode,) = episodes(env, server, [1])
    assert not episode.ok
    assert "no such file" in episode.errors[0].message
    assert not server.requests
    assert not any(trace.rewards for trace in episode.traces)


def test_a_model_that_fails_is_left_out_of_the_group():
    def script(request, number):
        return Reaction("overloaded", status=400) if number == 0 else reply(WRONG)

    (episode,) = episodes(environment(group_size=3), ScriptedServer(script), [1])
    paid = [trace for trace in episode.traces if trace.rewards]
    assert len(paid) == 2
    assert {trace.metrics["rapr"] for trace in paid} == {0.0}
    assert not episode.ok


def test_tasks_name_samples_and_hold_no_answer():
    tasks = list(environment(taskset={"first": 2}).taskset)
    assert [task.data.sample_index for task in tasks] == [2, 3, 4]
    assert tasks[0].data.prompt is None
    assert right(2)[7:-1] not in tasks[0].data.model_dump_json()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n": None}, "set taskset.n"),
        ({"env_id": "CartPole-v1", "env_args": {}}, "pictures"),
        ({"env_id": "PixelReason-SmallSearch-v0", "first": 10**12}, "first under"),
    ],
)
def test_wrong_task_sets_are_refused(changed, message):
    with pytest.raises(ConfigError, match=message):
        list(environment(taskset=changed).taskset)


def test_the_command_of_the_document_runs(tmp_path):
    server = ScriptedServer(lambda *_: reply(right(0)))
    command = [sys.executable, "-c", "from verifiers.v1.cli.eval.main import main; main()"]
    command += ["pixel-reason-v1", "--env.taskset.env-id", ID, "--env.taskset.n", "2"]
    command += ["--env.taskset.env-args", json.dumps(ARGS), "--model", "scripted", "--no-push"]
    command += ["--client.base-url", server.url, "--client.api-key-var", "SCRIPTED_KEY"]
    env = {**os.environ, "SCRIPTED_KEY": "x", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--output-dir", str(tmp_path)],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = tmp_path.rglob("traces.jsonl")
    episodes = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert len(episodes) == len(server.requests) == 2
