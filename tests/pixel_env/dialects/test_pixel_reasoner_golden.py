"""The default dialect's prompts are those of published weights: not a byte may change.

`pixel_reasoner_golden.json` was written down before other dialects shared its parts.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_tasks import ClipTask, PictureTask

from pixel_env import PixelReasoningEnv, answer, select_frames, zoom_in
from pixel_env.dialects import PixelReasonerDialect, Shown
from pixel_env.wrappers import TextAction

GOLDEN = json.loads((Path(__file__).parent / "pixel_reasoner_golden.json").read_text("utf-8"))
DIALECT = PixelReasonerDialect()
SHOWN = Shown(sizes=((112, 112),), n_frames=16)
SMALL = {"overview_px": (784, 4 * 784), "crop_px": (784, 4 * 784), "frame_px": (784, 4 * 784)}
ACTIONS = {
    "zoom": zoom_in([0, 0.123456, 0.5, 1], 3),
    "reversed zoom": zoom_in([0.5, 0.5, 0.1, 0.1]),
    "pixels": zoom_in([0, 0, 100, 1e-9]),
    "frames": select_frames([4, 1]),
    "letter": answer("B"),
    "braces": answer(r"50% of {x} \y"),
}


def texts(observation):
    return [part if isinstance(part, str) else part.shape[:2] for part in DIALECT.tell(observation)]


def test_prompts_and_schemas_are_those_of_the_weights():
    assert DIALECT.system_prompt() == GOLDEN["system"]
    assert DIALECT.system_prompt(brief=True) == GOLDEN["brief"]
    assert json.dumps(DIALECT.tool_schemas()) == GOLDEN["schemas"]


@pytest.mark.parametrize("name", ACTIONS)
def test_messages_are_those_of_the_weights(name):
    assert DIALECT.render(ACTIONS[name], SHOWN) == GOLDEN["rendered"][name]


@pytest.mark.parametrize("media", ["picture", "clip"])
def test_the_messages_of_an_episode_are_those_of_the_weights(media):
    task = PictureTask() if media == "picture" else ClipTask(n_frames=5)
    env = TextAction(PixelReasoningEnv(task, max_turns=len(GOLDEN["messages"]), **SMALL))
    messages = [texts(env.reset(options={"index": 0})[0])]
    for message in GOLDEN["messages"]:
        observation, *_ = env.step(message)
        messages.append(texts(observation))
    assert json.loads(json.dumps(messages)) == GOLDEN["told"][media]
    assert np.array(messages[0][0]).size == 2
