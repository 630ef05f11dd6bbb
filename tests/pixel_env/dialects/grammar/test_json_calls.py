"""JSON calls are found in their tag, and bare where they look like one."""

import pytest

from pixel_env.dialects.grammar.calls import MAX_CALL_CHARS
from pixel_env.dialects.grammar.json_calls import JSONCalls, object_end

SYNTAX = JSONCalls("t")
CALL = '{"name": "look", "arguments": {}}'


def counts(text):
    found = SYNTAX.find(text)
    return len(found.tagged), len(found.bare), len(found.mentions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 0, 0)),
        ("<tt>{}</tt>", (0, 0, 0)),
        ("< t >{}", (0, 0, 0)),
        ("<t>{}</t>", (1, 0, 0)),
        ("<T>{}</T>", (1, 0, 0)),
        ('<t id="1">{}</t>', (1, 0, 0)),
        ("<t>\n```json\n{}\n```\n</t>", (1, 0, 0)),
        ("<t>[{}]</t>", (1, 0, 0)),
        ("<t> and <t>{}</t>", (1, 0, 1)),
        ("<t>x</t>", (0, 0, 1)),
        (CALL, (0, 1, 0)),
        (f"<t>{CALL}</t> {CALL}", (1, 1, 0)),
        (f"<t>{CALL} {CALL}</t>", (2, 0, 0)),
        (f"<t>look: {CALL}</t>", (1, 0, 1)),
        ('{"colour": "red"}', (0, 0, 0)),
        ('{"name": "Ann"}', (0, 0, 0)),
        ('{"name": "zoom_in"}', (0, 1, 0)),
        ('{"name": "zoo', (0, 1, 0)),
        ('{"na', (0, 0, 0)),
        ('{"bbox_2d": [0, 0, 1, 1]}', (0, 1, 0)),
        ("{'name': 'look', 'arguments': {}}", (0, 1, 0)),
        ('\\{"name": "look", "arguments": \\{\\}\\}', (0, 0, 0)),
        ('{"colour": ' + CALL + "}", (0, 1, 0)),
    ],
)
def test_what_looks_like_a_call(text, expected):
    assert counts(text) == expected


def test_a_piece_is_the_object_alone():
    text = '<t>{"label": "a</t> }", "x": {}} </t>'
    (piece,) = SYNTAX.find(text).tagged
    assert (piece.body, piece.is_alone) == ('{"label": "a</t> }", "x": {}}', True)
    for rest, is_alone in [("", True), ("</", True), ("<t>", True), ("</x>", True), (" so", False)]:
        (piece,) = SYNTAX.find("<t>{}" + rest).tagged
        assert (piece.body, piece.is_alone) == ("{}", is_alone)


def test_an_object_that_does_not_end_goes_on_to_the_closing_tag():
    (piece,) = SYNTAX.find('<t>{"a": [</t> and').tagged
    assert piece.body == '{"a": ['


@pytest.mark.parametrize(
    ("text", "end"),
    [("{}", 2), ("{} {}", 2), ('{"}"}', 5), ('{"\\"}"}', 7), ("{[{}]}", 6), ("{", None), ("{]", 2)],
)
def test_where_an_object_ends(text, end):
    assert object_end(text, 0) == end


def test_a_long_object_has_no_end():
    longest = '{"a": "' + "x" * (MAX_CALL_CHARS - 9) + '"}'
    assert object_end(longest, 0) == len(longest) == MAX_CALL_CHARS
    assert object_end(longest.replace("x", "xx", 1), 0) is None
