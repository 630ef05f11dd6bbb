"""What a person played becomes demonstrations that a warm start takes."""

import json

import gymnasium as gym
import pytest
from tiny_tasks import PictureTask

from pixel_env import ConfigError, answer, zoom_in
from pixel_env.agents.run.config import RunConfig
from pixel_env.agents.run.warm_start_file import open_stored
from pixel_env.agents.warm_start.demonstration import save, with_observations
from pixel_env.agents.warm_start.from_played import PlayedDemonstrations
from pixel_env.wrappers import RecordTrajectories

SMALL = {"overview_px": [784, 9000], "crop_px": [784, 9000]}


@pytest.fixture
def played(register, tmp_path):
    """An environment, and four episodes: with a note, wrong, refused, without a zoom."""
    env_id = register("Played", PictureTask, **SMALL)
    env = RecordTrajectories(gym.make(env_id), tmp_path / "played")
    zoom, right = zoom_in([0.6, 0.6, 0.9, 0.9]), "secret-{}"
    for index, actions in enumerate(
        [
            [zoom, zoom_in([0.25, 0.25, 0.75, 0.75], 2), answer(right)],
            [zoom, answer("no")],
            [zoom_in([0.9, 0.9, 0.1, 0.1]), answer(right)],
            [answer(right)],
        ]
    ):
        env.reset(options={"index": index})
        for action in actions:
            if action["operation"] == 0:
                action["text"] = action["text"].format(index)
            env.turn_notes = {"reasoning": "Is it there?"} if index == 0 else {}
            env.step(action)
    return env_id, tmp_path / "played"


def test_right_episodes_without_refused_calls_are_demonstrations(played, tmp_path):
    env_id, folder = played
    env = gym.make(env_id)
    maker = PlayedDemonstrations(env, folder)
    assert len(maker) == 3
    made = [maker.make(number) for number in range(3)]
    assert [each and each.kind for each in made] == ["zoom_further", None, "text_only"]
    assert dict(maker.dropped) == {"a call was refused": 1}
    first = made[0]
    assert first.sample_id == "picture-0"
    assert first.imitate == (True, True, True)
    assert all(message.startswith("Is it there?") for message in first.messages)
    assert "crop_image_normalized" in first.messages[0]
    assert first.env_id == env_id
    assert "secret-3" in made[2].messages[0]
    path = tmp_path / "demos.jsonl"
    save(path, [each for each in made if each])
    stored, stored_env = open_stored(RunConfig(warm_start_file=str(path)))
    assert [each.sample_id for each in stored] == ["picture-0", "picture-3"]
    assert len(with_observations(stored[0], stored_env).observations) == 3


def test_episodes_of_messages_and_a_folder_without_right_ones_are_refused(played):
    env_id, folder = played
    path = folder / "trajectories.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for turn in records[0]["turns"]:
        turn.pop("action")
    path.write_text(json.dumps(records[0]) + "\n")
    maker = PlayedDemonstrations(gym.make(env_id), folder)
    assert maker.make(0) is None
    assert dict(maker.dropped) == {"the episode holds messages, not actions": 1}
    path.write_text(json.dumps(records[1]) + "\n")
    with pytest.raises(ConfigError, match="expected episodes with a right answer"):
        PlayedDemonstrations(gym.make(env_id), folder)
