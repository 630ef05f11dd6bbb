"""Every adapter gives what Gymnasium gives: rewards, feedback, pixels, and what is left out.

Adapters run where their package is:

    pytest tests/agents/adapters/test_plays.py -m slow -k trl
"""

from importlib.util import find_spec

import numpy as np
import pytest
from adapter_plays import PLAYS, find, play_gymnasium
from adapter_task import CLIP, ID, SECRET, SMALL, UNGRADABLE, UNREADABLE

RIGHT = rf"\boxed{{{SECRET}}}"
WRONG = r"\boxed{a cat}"


def call(name, arguments):
    return f'Look.\n<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def zoom(box, view=1):
    return call("crop_image_normalized", f'{{"bbox_2d": {box}, "target_image": {view}}}')


EPISODES = {
    "answers at once": (0, [RIGHT]),
    "answers wrong": (0, [WRONG]),
    "zooms twice": (1, [zoom("[0.1, 0.2, 0.7, 0.8]"), zoom("[0, 0, 0.5, 0.5]", 2), RIGHT]),
    "is refused": (1, [zoom("[0.7, 0, 0.1, 1]"), zoom("[0, 0, 1, 1]", 9), zoom('"x"'), RIGHT]),
    "selects frames": (CLIP, [call("select_frames", '{"target_frames": [2, 16]}'), RIGHT]),
    "selects frames of a picture": (0, [call("select_frames", '{"target_frames": [2]}'), RIGHT]),
    "can't be read": (UNREADABLE, [RIGHT]),
    "can't be graded": (UNGRADABLE, [zoom("[0, 0, 0.5, 0.5]"), RIGHT]),
}


def test_the_episodes_differ_in_what_they_test():
    """The comparison below would pass for nothing if all episodes scored, or all failed."""
    played = {name: play_gymnasium(ID, SMALL, *each) for name, each in EPISODES.items()}
    assert {name for name, each in played.items() if each.left_out} == {
        "can't be read",
        "can't be graded",
    }
    assert sum(played["answers at once"].rewards) == 1
    assert sum(played["answers wrong"].rewards) == 0
    assert len(played["zooms twice"].pictures) == 3
    assert len(played["is refused"].texts) == 3
    assert len(played["selects frames"].pictures) == 16 + 2


@pytest.mark.slow
@pytest.mark.parametrize("episode", EPISODES)
@pytest.mark.parametrize("name", PLAYS)
def test_an_adapter_gives_what_gymnasium_gives(name, episode):
    package, _ = PLAYS[name]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    index, messages = EPISODES[episode]
    ours = play_gymnasium(ID, SMALL, index, messages)
    rewards, texts, pictures, left_out = find(name)(ID, SMALL, index, messages)
    assert bool(left_out) == ours.left_out
    if ours.left_out:  # some engines are handed nothing then
        return
    assert sum(rewards) == pytest.approx(sum(ours.rewards), abs=1e-12)
    assert list(texts) == ours.texts
    assert len(pictures) == len(ours.pictures)
    for theirs, shown in zip(pictures, ours.pictures, strict=True):
        assert np.array_equal(theirs, shown)
