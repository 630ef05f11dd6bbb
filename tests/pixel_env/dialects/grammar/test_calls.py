"""A call is found, or refused in one sentence; no text raises anything else."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.dialects.grammar.calls import (
    MAX_CALL_CHARS,
    MAX_DEPTH,
    Call,
    read_call,
)
from pixel_env.errors import OperationError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def kind_of(function, *arguments):
    with pytest.raises(OperationError) as caught:
        function(*arguments)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert sentence.isascii()
    assert len(sentence) < 200
    return caught.value.kind


def test_limits_are_reached_but_not_passed():
    plain = '{"name": "a", "arguments": {}}'
    assert read_call(plain + " " * (MAX_CALL_CHARS - len(plain))) == Call("a", {})
    lists = MAX_DEPTH - 2
    deepest = '{"name": "a", "arguments": {"x": ' + "[" * lists + "]" * lists + "}}"
    assert read_call(deepest).name == "a"
    assert kind_of(read_call, deepest.replace("[", "[[").replace("]", "]]")) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "look",
        "[]",
        "null",
        "3",
        "{}",
        '{"name": "a"}',
        '{"name": 3, "arguments": {}}',
        '{"name": "a", "arguments": []}',
        '{"name": "a", "arguments": "{}"}',
        '{"name": "a", "arguments": {}',
        '{"name": "a", "arguments": {}} {"name": "b", "arguments": {}}',
        '[{"name": "a", "arguments": {}}]',
        '{"name": "a", "name": "b", "arguments": {}}',
        "{'name': 'a', 'arguments': {}}",
        "__import__('os').system('true')",
        "[" * 5000,
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 2000,
        '{"name": "a", "arguments": {"x": "' + "y" * MAX_CALL_CHARS + '"}}',
    ],
)
def test_a_body_that_is_not_one_call_object_is_malformed(body):
    assert kind_of(read_call, body) == "malformed"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_lacks_are_refused(constant):
    body = f'{{"name": "a", "arguments": {{"x": {constant}}}}}'
    assert kind_of(read_call, body) == "bad_arguments"


def test_huge_numbers_are_read_and_never_raise():
    body = f'{{"name": "a", "arguments": {{"x": [{"9" * 5000}, 1e99999, -{"1" * 20}]}}}}'
    huge, infinite, negative = read_call(body).arguments["x"]
    assert (huge, infinite) == (float("inf"), float("inf"))
    assert negative == pytest.approx(-1.1e19, rel=0.02)


def test_brackets_inside_text_do_not_count_as_depth():
    body = json.dumps({"name": "a", "arguments": {"x": '[{"' * 50 + "\\"}})
    assert read_call(body).arguments["x"].startswith('[{"')


@given(st.text(), json_values)
def test_every_call_that_was_written_is_read_back_or_refused(name, value):
    body = json.dumps({"name": name, "arguments": {"x": value}})
    try:
        assert read_call(body).name == name
    except OperationError:
        assert len(body) > 20


@given(st.text(alphabet=st.sampled_from('{}[]":,\\ntrue1.e-')))
def test_json_like_noise_raises_nothing_but_operation_errors(body):
    with contextlib.suppress(OperationError):
        assert isinstance(read_call(body), Call)
