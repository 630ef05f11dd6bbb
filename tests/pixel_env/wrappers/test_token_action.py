"""Token ids are decoded and read as text is; what are no ids costs a turn and raises nothing."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixel_env import ConfigError
from pixel_env.spaces import TokenIds
from pixel_env.wrappers import TextAction, TokenAction

N_IDS = 300
CALL = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'


class Characters:
    """One token a character; 256 ends a message, 257 is a hole in the vocabulary."""

    eos_token_id = 256

    def __len__(self):
        return N_IDS

    def decode(self, ids):
        if 257 in ids:
            raise KeyError(257)
        return "".join(chr(number) for number in ids)


def ids_of(text):
    return [ord(sign) for sign in text]


@pytest.fixture
def env(make_env):
    env = TokenAction(make_env(max_turns=1000, max_views=1000), Characters())
    env.reset(options={"index": 0})
    return env


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda ids: np.array(ids, np.uint16)])
def test_ids_are_read_as_their_text(env, make_env, kind):
    text = TextAction(make_env())
    text.reset(options={"index": 0})
    expected, *_, known = text.step(CALL)
    observation, *_, info = env.step(kind(ids_of(CALL)))
    assert (info["message"], info["operation"]) == (CALL, "zoom_in")
    assert info["executed_box"] == known["executed_box"]
    assert np.array_equal(observation["images"][0], expected["images"][0])
    assert observation["feedback"] == expected["feedback"]


def test_a_tensor_is_read_like_an_array(env):
    class Tensor:  # whatever has entries and gives them as a list
        def tolist(self):
            return ids_of(CALL)

    assert env.step(Tensor())[-1]["operation"] == "zoom_in"


def test_a_message_ends_at_the_end_token(env):
    _, reward, terminated, *_, info = env.step([*ids_of(r"\boxed{B}"), 256, *ids_of(r"\boxed{A}")])
    assert (reward, terminated, info["message"]) == (1.0, True, r"\boxed{B}")


def test_end_tokens_can_be_given(make_env):
    env = TokenAction(make_env(), Characters(), "qwen-xml", end_ids=(7, 8))
    env.reset(options={"index": 0})
    assert env.step([*ids_of("B"), 8, 9])[-1]["answer"] == "B"


def test_dialects_are_those_of_text(make_env):
    env = TokenAction(make_env(), Characters(), "mini-o3")
    env.reset(options={"index": 0})
    call = '<grounding>{"bbox_2d": [0, 0, 0.5, 1], "source": "original_image"}</grounding>'
    observation, *_, info = env.step(ids_of(call))
    assert info["written_box"] == (0, 0, 0.5, 1)
    assert observation["feedback"].startswith("observation_1 is the region")


WRONG = {
    "negative": ([72, -1], "got -1."),
    "too large": ([N_IDS], "got 300."),
    "huge": ([10**5000], "got a value of type int."),
    "float": ([1.5], "got 1.5."),
    "not finite": ([float("nan")], "got nan."),
    "true": ([True], "got True."),
    "text in a list": (["a"], "got a value of type str."),
    "nothing": (None, "got None."),
    "number": (7, "got 7."),
    "text": ("B", "got a value of type str."),
    "bytes": (b"B", "got a value of type bytes."),
    "nested": ([[1, 2], [3]], "got a value of type list."),
    "two dimensions": (np.zeros((2, 2), np.int64), "got a value of type list."),
    "float array": (np.array([0.5]), "got 0.5."),
    "no dimension": (np.array(3), "got 3."),
    "object": (object(), "got a value of type object."),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_are_no_ids_costs_a_turn_and_is_explained(env, what):
    given_ids, end = WRONG[what]
    observation, *_, info = env.step(given_ids)
    assert info["operation_error"] == "malformed"
    start = f"A message must be token ids, whole numbers from 0 to {N_IDS - 1}, "
    assert observation["feedback"] == start + end
    assert observation["turn"] == 1
    assert info["message"] == ""


def test_ids_that_the_tokenizer_refuses_are_explained(env):
    observation, *_ = env.step([72, 257])
    assert observation["feedback"] == "These 2 token ids can't be decoded."


def test_too_many_ids_are_refused_undecoded(env):
    observation, *_ = env.step(np.zeros(1_000_001, np.int64))
    assert observation["feedback"] == "A message may hold 1000000 tokens, got 1000001."


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.integers() | st.floats() | st.none() | st.text(max_size=3), max_size=8)
    | st.lists(st.integers(0, N_IDS - 1))
    | st.binary()
    | st.dictionaries(st.integers(), st.integers())
)
def test_any_ids_are_a_step(env, ids):
    observation, _, terminated, truncated, _ = env.step(ids)
    assert env.observation_space.contains(observation)
    if terminated or truncated:
        env.reset()


def test_the_number_of_ids_must_be_known(make_env):
    class Unsized:
        def decode(self, ids):
            return "B"

    with pytest.raises(ConfigError, match="expected n_ids >= 1, or a tokenizer with a length"):
        TokenAction(make_env(), Unsized())
    assert TokenAction(make_env(), Unsized(), n_ids=9).action_space == TokenIds(1_000_000, 9)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
@pytest.mark.filterwarnings("error")
def test_the_environment_checker_is_silent(make_env):
    check_env(TokenAction(make_env(), Characters()), skip_render_check=True)


def test_the_space_draws_what_it_contains():
    space = TokenIds(12, n_ids=5, seed=0)
    drawn = [space.sample() for _ in range(50)]
    assert all(space.contains(ids) for ids in drawn)
    assert {int(number) for ids in drawn for number in ids} == {0, 1, 2, 3, 4}
    assert max(map(len, drawn)) == 12
    assert [ids.tolist() for ids in space.from_jsonable(space.to_jsonable(drawn))] == [
        ids.tolist() for ids in drawn
    ]
    for outside in ([5], [-1], [0.5], [[1]], np.zeros((1, 1), np.int64), "0", 3, [0] * 13):
        assert not space.contains(outside)
    assert space == TokenIds(12, 5)
    assert space != TokenIds(12, 6)
