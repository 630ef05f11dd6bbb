"""Copies of an environment, and an episode turn by turn."""

import gymnasium as gym
import pytest
from adapter_task import CLIP, ID, PLACE, SECRET, SMALL, UNGRADABLE, UNREADABLE

from pixel_env import ConfigError
from pixel_env.agents.adapters.episode import OVER, EnvironmentCopies, begin, respond, score
from pixel_env.chat import ChatEpisode

ZOOM = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
RIGHT = rf"\boxed{{{SECRET}}}"


@pytest.fixture
def episode():
    return ChatEpisode(ID, SMALL, system="none", make=EnvironmentCopies())


def types(messages):
    return [part["type"] for message in messages for part in message["content"]]


def test_each_turn_gives_the_messages_that_follow(episode):
    assert types(begin(episode, index=CLIP)) == ["image_url"] * 16 + ["text"]
    (message,) = respond(episode, ZOOM)
    assert message["role"] == "user"
    assert types([message]) == ["text", "image_url"]
    assert message["content"][0]["text"].startswith("Image 17 is the region [0, 0, 0.5, 0.5]")
    assert score(episode) == 0.0
    (message,) = respond(episode, RIGHT)
    assert message["content"] == [{"type": "text", "text": "The answer was taken."}]
    assert score(episode) == 1.0


def test_calls_of_the_openai_dialect_get_messages_of_tools():
    episode = ChatEpisode(ID, SMALL, "openai", system="none", make=EnvironmentCopies())
    begin(episode, index=0)
    function = '{"name": "zoom_in", "arguments": "{\\"bbox_2d\\": [0, 0, 0.5, 0.5]}"}'
    messages = respond(episode, f'{{"tool_calls": [{{"id": "a", "function": {function}}}]}}')
    assert [message["role"] for message in messages] == ["tool", "user"]


def test_a_message_after_the_end_changes_nothing(episode):
    begin(episode, index=0)
    respond(episode, r"\boxed{a cat}")
    facts = episode.facts
    assert respond(episode, RIGHT)[0]["content"][0]["text"] == OVER
    assert episode.facts == facts
    assert score(episode) == 0.0


def test_a_sample_that_cannot_be_read_has_no_message_and_no_score(episode):
    assert begin(episode, index=UNREADABLE) == []
    assert episode.ended
    assert PLACE in episode.facts.fault
    assert score(episode) is None


def test_a_sample_that_cannot_be_graded_has_no_score(episode):
    begin(episode, index=UNGRADABLE)
    assert score(episode) == 0.0
    (message,) = respond(episode, RIGHT)
    assert PLACE not in message["content"][0]["text"]
    assert score(episode) is None


def test_the_last_turn_says_so():
    args = {**SMALL, "max_turns": 1}
    episode = ChatEpisode(ID, args, system="none", make=EnvironmentCopies())
    begin(episode, index=0)
    (message,) = respond(episode, ZOOM)
    assert episode.ended
    assert "turns" in message["content"][0]["text"]


def test_a_seed_fixes_the_order(episode):
    other = ChatEpisode(ID, SMALL, system="none", make=EnvironmentCopies())
    questions = []
    for each in (episode, other):
        seeds = [5, None, None, None, None]
        questions.append([begin(each, seed=seed) for seed in seeds])
    assert questions[0] == questions[1]
    texts = {str(messages) for messages in questions[0]}
    assert len(texts) == 5


def test_copies_share_the_task_and_nothing_of_an_episode():
    copies = EnvironmentCopies()
    first, second = copies(ID, **SMALL), copies(ID, max_turns=3)
    third = copies(ID, **dict(reversed(SMALL.items())))
    assert first.unwrapped.task is third.unwrapped.task
    assert first.unwrapped.task is not second.unwrapped.task
    first.reset(options={"index": 1})
    third.reset(options={"index": 0})
    assert first.unwrapped.sample.id == "secret-sample-1"


def test_rows_can_neither_import_a_module_nor_choose_a_task():
    for env_id, args in [(f"adapter_task:{ID}", {}), (ID, {"task": "os:system"})]:
        with pytest.raises(ConfigError, match="expected"):
            ChatEpisode(env_id, args, make=EnvironmentCopies())
    assert ID in gym.registry
