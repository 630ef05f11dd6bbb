"""One message is one call or one answer, by the dialect's rules."""

import pytest

from pixel_env import OperationError
from pixel_env.dialects.grammar.answers import PLAIN, TAGGED, plain_answer
from pixel_env.dialects.grammar.calls import Call
from pixel_env.dialects.grammar.found_calls import Beside, Rules
from pixel_env.dialects.grammar.json_calls import JSONCalls
from pixel_env.dialects.grammar.turn import Grammar

ONE = '{"name": "one", "arguments": {}}'
TWO = ONE.replace("one", "two")
FIRST = Call("one", {})


def read(text, rules=None, answers=TAGGED):
    """Returns what a message does, or the kind of its refusal."""
    try:
        return Grammar(JSONCalls("t"), answers, rules or Rules(), "Call").read(text)
    except OperationError as refusal:
        return refusal.kind


@pytest.mark.parametrize(
    ("beside", "outcome"),
    [(Beside.REFUSED, "several_calls"), (Beside.CALL, FIRST), (Beside.ANSWER, "red")],
)
@pytest.mark.parametrize("form", ["<t>{}</t> {}", "{1} <t>{0}</t>", "<t>{}</t>{}<t>x</t>"])
def test_a_call_beside_an_answer(beside, outcome, form):
    text = form.format(ONE, "<answer>red</answer>")
    assert read(text, Rules(beside)) == outcome


def test_an_answer_beside_a_bare_call_is_refused_unless_any_answer_ends():
    text = f"<answer>red</answer> {ONE}"
    assert read(text, Rules(Beside.CALL)) == "several_calls"
    assert read(text, Rules(Beside.REFUSED)) == "several_calls"
    assert read(text, Rules(Beside.ANSWER)) == "red"


@pytest.mark.parametrize(
    "text",
    ["<t>{0}</t><t>{1}</t>", "<t>{0}\n<t>{1}", "<t>{0} {1}</t>", "{0} {1}", "<t>[{0}, {1}]</t>"],
)
def test_several_calls(text):
    text = text.format(ONE, TWO)
    assert read(text) == "several_calls"
    assert read(text, Rules(is_strict=True)) == "several_calls"
    assert read(text, Rules(runs_first=True)) == FIRST


@pytest.mark.parametrize(
    ("text", "lenient", "strict"),
    [
        ("<t>{}</t></t>", FIRST, "malformed"),
        ("<t><t>{}</t></t>", FIRST, "several_calls"),
        ("A <t> it is. <t>{}</t>", FIRST, "several_calls"),
        ("<t>{}</t> {}", FIRST, "several_calls"),
        ("<t>{}<t>", FIRST, "several_calls"),
        ("<t>{}</t> so", FIRST, FIRST),
        ("<t>{} so", "malformed", "malformed"),
        ("<t>{} so</t>", "malformed", "malformed"),
        ("{}</t>", FIRST, FIRST),
    ],
)
def test_tags_out_of_place_matter_where_the_rules_are_strict(text, lenient, strict):
    text = text.format(ONE, ONE)
    assert read(text) == lenient
    assert read(text, Rules(is_strict=True)) == strict


@pytest.mark.parametrize("strict", [False, True])
def test_a_tag_that_is_mentioned(strict):
    rules = Rules(is_strict=strict)
    assert (
        read("I may use <t>.", rules)
        == read("</t>", rules)
        == read("<t>x</t>", rules)
        == "malformed"
    )
    mention = "No <t> is needed. <answer>red</answer>"
    assert read(mention, rules) == ("malformed" if strict else "red")
    assert read(f"<think>{mention}", rules) == "red"
    assert read("<think>No <t> yet.</think>", rules) == "no_answer"


def test_thinking_is_read_only_where_there_is_no_content():
    thinking = f"<think><t>{ONE}</t></think>"
    assert read(thinking) == FIRST
    assert read(f"{thinking}<t>{TWO}</t>") == Call("two", {})
    assert read(f"{thinking}So be it.") == "no_answer"
    assert read(f"{thinking}So be it.", answers=PLAIN) == "So be it."
    answered = "<think><answer>red</answer></think>"
    assert read(f"{answered}So be it.") == read(answered) == read(answered, answers=PLAIN) == "red"
    assert read(f"{answered}blue", answers=PLAIN) == "blue"


@pytest.mark.parametrize("answers", [TAGGED, PLAIN])
@pytest.mark.parametrize(
    "text",
    [
        *("<function=one></function>", "<parameter=x>1</parameter>", '{"parameters": {}}'),
        *("<tools>{}</tools>", "<tool_call>x</tool_call>", "<|tool_call|>", "<grounding>"),
        *('{"name": "one", "argu', "look(bbox_2d=[0, 0, 1, 1])", "<answer><tool_call></answer>"),
    ],
)
def test_what_looks_like_a_call_is_no_answer(text, answers):
    assert read(text, answers=answers) == "malformed"


def test_a_long_plain_answer_is_its_end():
    answer = plain_answer("aa " * 2000 + "\n(B)")
    assert answer.endswith("aa aa \n(B)")
    assert answer.startswith("... aa aa")
    assert 4090 < len(answer) <= 4096
    assert len(plain_answer("a" * 5000)) == 4096
    assert plain_answer(" \n") is None
    assert plain_answer("```json\nB\n```") == "B"
    assert plain_answer("a ```b``` c") == "a ```b``` c"
