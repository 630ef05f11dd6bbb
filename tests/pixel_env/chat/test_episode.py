"""Episodes in messages: the environment's rewards and words, its faults, and nothing else."""

import gymnasium as gym
import numpy as np
import pytest

import pixel_env
from pixel_env import answer, zoom_in
from pixel_env.chat import AsArray, ChatEpisode
from pixel_env.errors import ConfigError
from pixel_env.wrappers import TextAction

ID = "PixelReason-SyntheticSearch-v0"
CALL = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'


def test_an_episode_is_that_of_gym_make():
    env = TextAction(gym.make(ID, split="test"))
    episode = ChatEpisode(ID, {"split": "test"}, picture=AsArray())
    for index in (3, 8):
        shown, _ = env.reset(options={"index": index})
        episode.begin(index=index)
        pictures = list(shown["images"])
        for message in (CALL, "no call", f"<answer>{env.unwrapped.sample.answers[0]}</answer>"):
            assert not episode.ended
            episode.respond(message)
            shown, reward, ended, _, info = env.step(message)
            assert episode.observation["feedback"] == shown["feedback"]
            if not ended:
                pictures += shown["images"]
        parts = [part for m in episode.messages[1:] if m["role"] == "user" for part in m["content"]]
        handed = [part["image"] for part in parts if part["type"] == "image"]
        assert len(handed) == len(pictures) == 2
        for here, there in zip(handed, pictures, strict=True):
            np.testing.assert_array_equal(here, there)
        assert episode.ended
        assert (episode.facts.score, episode.facts.n_calls) == (reward, info["n_calls"])
        assert (reward, info["n_calls"], episode.facts.video) == (1.0, 1, False)


def test_the_next_episode_begins_afresh():
    episode = ChatEpisode(ID, system="none")
    episode.begin(seed=1)
    episode.respond(CALL)
    first = list(episode.messages)
    episode.begin(index=2)
    assert (episode.facts.n_calls, episode.facts.score, len(episode.messages)) == (0, 0.0, 1)
    assert len(first) == 3


class Broken(pixel_env.Task):
    """A picture that isn't there."""

    name = "broken"

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return pixel_env.Sample(
            id="gone", question="?", media=(pixel_env.ImageSource("/no/such.png"),), answers=("A",)
        )

    def grade(self, sample, answer):
        return pixel_env.Grade(1.0, True, answer)


def test_a_fault_of_the_data_ends_an_episode_before_its_first_message():
    gym.register(
        "ChatEpisodeFault-v0", "pixel_env.env:PixelReasoningEnv", kwargs={"task": Broken()}
    )
    try:
        episode = ChatEpisode("ChatEpisodeFault-v0")
        episode.begin(index=0)
        assert episode.ended
        assert "such.png" in episode.facts.fault
        with pytest.raises(ConfigError, match="goes on"):
            episode.respond("<answer>A</answer>")
    finally:
        del gym.registry["ChatEpisodeFault-v0"]


@pytest.mark.parametrize("name", ["os:PixelReason-SyntheticSearch-v0", "CartPole-v1", "nothing"])
def test_ids_of_other_environments_and_of_modules_are_refused(name):
    with pytest.raises(ConfigError, match=r"expected .*(id|environment)"):
        ChatEpisode(name)


def test_messages_never_hold_the_answer():
    episode = ChatEpisode(ID, {"split": "test"})
    episode.begin(index=1)
    dialect = episode._env.dialect
    episode.respond(dialect.render(zoom_in([0, 0, 1, 1]), episode._env.shown))
    before = [message["role"] for message in episode.messages]
    episode.respond(dialect.render(answer("wrong"), episode._env.shown))
    assert [message["role"] for message in episode.messages] == [*before, "assistant"]
    assert set(episode.facts.__slots__) == {"score", "n_calls", "n_operations", "video", "fault"}
