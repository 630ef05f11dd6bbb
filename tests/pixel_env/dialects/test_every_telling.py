"""What each dialect tells a policy: the rules, the question, and the result of a call."""

import json

import numpy as np
import pytest
from dialect_calls import CLIP, PLAIN, TWO, WITH_FRAMES

from pixel_env import answer, select_frames, zoom_in
from pixel_env.dialects import DIALECTS, get_dialect
from pixel_env.types import Observation

every = pytest.mark.parametrize("name", DIALECTS)
WRAPPED = ("deepeyes", "qwen3-vl", "qwen-xml")
HOW = {
    "pixel-reasoner": r"\boxed{}",
    "pixel-reasoner-pixels": r"\boxed{}",
    "deepeyes": "<answer></answer>",
    "mini-o3": "<answer></answer>",
    "qwen3-vl": "<answer></answer>",
    "qwen-xml": "write nothing but it",
    "openai": "write nothing but it",
}


def observe(n_images=1, **changes) -> Observation:
    image = np.zeros((28, 28, 3), dtype=np.uint8)
    news = Observation(
        question="What colour is the mug?",
        choices=("red", "blue"),
        images=(image,) * n_images,
        first_image=1,
        feedback="",
        turn=0,
        turns_left=5,
        n_frames=0,
    )
    return news | changes


def texts(parts):
    return "".join(part if isinstance(part, str) else "<image>" for part in parts)


@every
def test_the_question_follows_the_pictures_and_says_how_to_answer(name):
    message = texts(get_dialect(name).tell(observe()))
    assert message.startswith("<image>What colour is the mug?\n(A) red\n(B) blue\n")
    assert message.endswith(f"the letter of the right option and {message.split(' and ')[-1]}")
    assert HOW[name] in message.splitlines()[-1]
    free = texts(get_dialect(name).tell(observe(choices=())))
    assert "Find the answer and" in free
    assert "(A)" not in free


@every
def test_what_came_of_a_call_is_wrapped_as_the_model_learnt(name):
    news = observe(turn=1, feedback="Here it is.")
    expected = "Here it is.<image>"
    if name in WRAPPED:
        expected = "<tool_response>\nHere it is.\n<image>\n</tool_response>"
    assert texts(get_dialect(name).tell(news)) == expected
    refused = texts(get_dialect(name).tell(observe(0, turn=1, feedback="No.")))
    assert refused == ("<tool_response>\nNo.\n</tool_response>" if name in WRAPPED else "No.")


@every
@pytest.mark.parametrize("n_images", [0, 1])
@pytest.mark.parametrize("turn", [0, 3])
def test_the_last_turn_is_announced_outside_the_response(name, n_images, turn):
    dialect = get_dialect(name)
    notice = "This is your last message: answer now."
    for left in (0, 1, 2):
        message = texts(dialect.tell(observe(n_images, turn=turn, feedback="So.", turns_left=left)))
        assert message.count(notice) == (left == 1)
        if name in WRAPPED and turn and left == 1:
            assert message.endswith(f"</tool_response>\n{notice}")


CLIPS = {
    "deepeyes": "These are 16 frames of a clip; the first is the original image.",
    "mini-o3": "These are 16 frames of a clip: original_image, observation_1 to observation_15.",
    "qwen3-vl": "These are frames 0 to 15 of a clip.",
    "qwen-xml": "These are frames 0 to 15 of a clip.",
}
PAIRS = {
    "deepeyes": "These are 2 pictures; the first is the original image.",
    "mini-o3": "These are 2 pictures: original_image, observation_1.",
}


@every
def test_frames_and_several_pictures_are_named_as_calls_name_them(name):
    clip = get_dialect(name).tell(observe(16, n_frames=16))[-1].splitlines()
    assert clip[0] == CLIPS.get(name, "These are frames 1 to 16 of a clip.")
    pair = get_dialect(name).tell(observe(2))[-1].splitlines()
    assert pair[0] == PAIRS.get(name, "What colour is the mug?")


@every
def test_the_system_message_shows_how_to_call_and_to_answer(name):
    dialect = get_dialect(name)
    full, brief = dialect.system_prompt(), dialect.system_prompt(brief=True)
    assert HOW[name] in full
    assert len(brief) < 110
    assert "\n" not in brief
    assert ("<think></think>" in full) == (name in (*WRAPPED, "mini-o3"))
    for schema in dialect.tool_schemas():
        assert schema["function"]["name"] in brief
        assert (json.dumps(schema) in full) == (name != "openai")  # a request's `tools` hold them


@every
def test_schemas_name_the_arguments_that_calls_have(name):
    dialect = get_dialect(name)
    zoom = dialect.tool_schemas()[0]["function"]["parameters"]
    text = dialect.render(zoom_in([0, 0, 1, 1]), TWO)
    assert all(argument in text for argument in zoom["properties"])
    maximum = {"fractions": 1, "thousandths": 1000, "pixels": None}[dialect.coordinate_frame]
    assert zoom["properties"]["bbox_2d"]["items"].get("maximum") == maximum
    assert zoom["required"] == ["bbox_2d"]
    assert (len(dialect.tool_schemas()) == 2) == (name in WITH_FRAMES)
    if name in WITH_FRAMES:
        frames = dialect.tool_schemas()[1]["function"]
        text = dialect.render(select_frames([1]), CLIP)
        assert frames["name"] in text
        assert all(argument in text for argument in frames["parameters"]["properties"])


@every
def test_a_message_with_a_thought_is_read_as_its_action(name):
    dialect = get_dialect(name)
    message = dialect.compose("It may be A, or red.", answer("B"), TWO)
    assert "It may be A, or red." in message
    assert dialect.parse(message, TWO)["text"] == "B"
    message = dialect.compose("Too small.", zoom_in([0, 0, 0.5, 0.5]), TWO)
    assert "Too small." in message
    assert dialect.parse(message, TWO)["bbox"].tolist() == [0, 0, 0.5, 0.5]


@every
def test_feedback_to_a_model_that_neither_calls_nor_answers_names_both(name):
    env_sentence = get_dialect(name).answers
    with pytest.raises(Exception, match="or give your final answer: ") as caught:
        get_dialect(name).parse(" ", TWO)
    assert env_sentence.how in str(caught.value)
    assert (name in PLAIN) == env_sentence.is_plain
