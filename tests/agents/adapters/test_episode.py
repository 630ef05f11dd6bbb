"""An episode by messages: parts, facts, faults; copies of an environment."""

import gymnasium as gym
import numpy as np
import pytest
from adapter_task import CLIP, ID, PLACE, SECRET, SMALL, UNGRADABLE, UNREADABLE
from PIL import Image

from pixel_env import ConfigError
from pixel_env.agents.adapters.episode import OVER, EnvironmentCopies, MessageEpisode
from pixel_env.chat import AsArray

ZOOM = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
RIGHT = rf"\boxed{{{SECRET}}}"


@pytest.fixture
def episode():
    return MessageEpisode(EnvironmentCopies()(ID, SMALL))


def test_an_episode_gives_parts_and_facts(episode):
    picture, text = episode.reset(index=1)
    assert isinstance(picture["image"], Image.Image)
    assert text["text"].startswith("What is hidden in sample 1?")
    feedback, crop = episode.step(ZOOM)
    assert feedback["text"] == "Image 2 is the region [0, 0, 0.5, 0.5] of image 1."
    assert crop["type"] == "image"
    facts = episode.facts
    assert (facts.sample_id, facts.n_calls, facts.ended) == ("secret-sample-1", 1, False)
    episode.step(RIGHT)
    assert (episode.facts.score, episode.facts.n_calls, episode.facts.ended) == (1.0, 1, True)


def test_a_message_after_the_end_changes_nothing(episode):
    episode.reset(index=0)
    episode.step(r"\boxed{a cat}")
    facts = episode.facts
    assert episode.step(RIGHT) == [{"type": "text", "text": OVER}]
    assert episode.facts == facts
    assert facts.score == 0.0


def test_facts_begin_anew(episode):
    episode.reset(index=CLIP)
    episode.step(ZOOM)
    episode.step(RIGHT)
    assert episode.facts.is_clip
    episode.reset(index=0)
    assert (episode.facts.reward, episode.facts.n_calls, episode.facts.ended) == (0.0, 0, False)
    assert not episode.facts.is_clip


def test_a_sample_that_cannot_be_read_has_no_score(episode):
    episode.reset(index=UNREADABLE)
    assert episode.facts.ended
    assert PLACE in episode.facts.fault
    assert episode.facts.score is None


def test_a_sample_that_cannot_be_graded_has_no_score(episode):
    episode.reset(index=UNGRADABLE)
    assert episode.facts.score == 0.0
    episode.step(RIGHT)
    assert episode.facts.ended
    assert episode.facts.score is None


def test_the_turns_run_out():
    episode = MessageEpisode(EnvironmentCopies()(ID, {**SMALL, "max_turns": 2}))
    episode.reset(index=0)
    episode.step("I wonder.")
    assert not episode.facts.ended
    episode.step(ZOOM)
    assert episode.facts.ended
    assert episode.facts.score == 0.0


def test_pictures_have_the_form_that_was_asked_for():
    episode = MessageEpisode(EnvironmentCopies()(ID, SMALL), picture=AsArray())
    assert episode.reset(index=0)[0]["image"].dtype == np.uint8


def test_a_seed_fixes_the_order():
    first, second = (MessageEpisode(EnvironmentCopies()(ID, SMALL)) for _ in range(2))
    names = []
    for episode in (first, second):
        episode.reset(seed=5)
        names.append([episode.facts.sample_id])
        for _ in range(3):
            episode.reset()
            names[-1].append(episode.facts.sample_id)
    assert names[0] == names[1]
    assert len(set(names[0])) == 4


def test_copies_share_the_task_and_nothing_of_an_episode():
    copies = EnvironmentCopies()
    first, second = copies(ID, SMALL), copies(ID, '{"max_turns": 3}')
    third = copies(ID, dict(reversed(SMALL.items())))
    assert first.unwrapped.task is third.unwrapped.task
    assert first.unwrapped.task is not second.unwrapped.task
    first.reset(options={"index": 1})
    third.reset(options={"index": 0})
    assert first.unwrapped.sample.id == "secret-sample-1"


def test_only_environments_with_pictures_are_taken():
    copies = EnvironmentCopies()
    with pytest.raises(ConfigError, match="Did you mean"):
        copies("PixelReason-SyntheticSerch-v0")
    with pytest.raises(ConfigError, match="expected an environment with pictures"):
        copies("PixelReason-SyntheticSearch-Flat-v0")
    assert "PixelReason-SyntheticSearch-v0" in gym.registry
