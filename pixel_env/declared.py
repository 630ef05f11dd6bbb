r"""The answer that a message declares, and nothing but it.

An answer is what stands in `\boxed{...}` or in `<answer>...</answer>`. A sentence such as "the
answer is B" declares nothing: guessing at prose is how graders come to reward what a model
didn't answer. Nor does what stands in `<tool_response>...</tool_response>`: that quotes an
operation. A server that stops at `</answer>` cuts it off: a last `<answer>` that is never closed
holds what follows it, unless another tag does. Every search here takes time in proportion to the
length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left

MAX_UNWRAPS = 8
"""How deeply nested font commands, such as `\\text{\\textbf{B}}`, are taken off an answer."""

_BRACES = re.compile(r"\\boxed\s{0,8}\{|\\[{}]|[{}]")
_TAGS = re.compile(r"<(/?)answer>", re.IGNORECASE)
_CUT_CLOSING = re.compile(r"</(?:a(?:n(?:s(?:w(?:er?)?)?)?)?)?\Z", re.IGNORECASE)
_BOX_STARTS = re.compile(r"\\boxed\s{0,8}\{")
_ANY_TAG = re.compile(r"</?[A-Za-z]")
_OUTPUT_TAGS = re.compile(r"<(/?)tool_response>", re.IGNORECASE)
_FONT = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:bf|it|rm|sf|tt)|mbox)\s{0,8}\{([^{}]*)\}")
_ESCAPE = re.compile(r"\\textbackslash\{\}|\\([{}%$&#_])")
_Span = tuple[int, int]


def declared_answer(text: str) -> str | None:
    r"""Returns the last answer that a message declares.

    The last declaration wins, wherever it stands: a box inside a block of thinking counts, unless
    another one follows. Braces may nest; commands that only set a font (`\text{}`) are taken off,
    and escaped signs (`\%`) are read as the sign. A box inside `<answer>` is the answer.

    Args:
        text: one message of a model, of any length.

    Returns:
        The answer without surrounding white space, or None where nothing is declared or the last
        declaration is empty.

    >>> declared_answer(r"Maybe \boxed{A}. No: \boxed{\text{B}}")
    'B'
    >>> declared_answer("<answer>a red mug</answer>"), declared_answer("<answer>a red mug")
    ('a red mug', 'a red mug')
    >>> declared_answer("Based on the image, the answer is (C)") is None
    True
    """
    quoted = _closed(_OUTPUT_TAGS, text)
    boxes = [span for span in _closed_boxes(text) if not _is_within(span, quoted)]
    left_open = _left_open(text, boxes)
    tags = [span for span in (*_closed(_TAGS, text), *left_open) if not _is_within(span, quoted)]
    spans = tags[-1:]
    if boxes:
        spans.append(max(boxes))  # opens last, so the inner one of nested boxes
    if not spans:
        return None
    tag_or_only, box = spans[0], spans[-1]
    is_box_later = box[0] > tag_or_only[0] or box[1] > tag_or_only[1]
    start, end = box if is_box_later else tag_or_only
    return _plain(text[start:end]) or None


def as_declaration(answer: str, hides_tags: bool = False) -> str:
    r"""Writes an answer so that `declared_answer` reads the same answer back.

    Args:
        answer: any text; white space around it is not kept.
        hides_tags: writes every `<` so that no tag of the answer is taken for one of the message.

    >>> as_declaration("B")
    '\\boxed{B}'
    >>> declared_answer(as_declaration("50% of {x"))
    '50% of {x'
    >>> as_declaration("<think>", hides_tags=True)
    '\\boxed{\\text{<}think>}'
    """
    plain = f"\\boxed{{{answer}}}"
    if not hides_tags and declared_answer(plain) == answer.strip():
        return plain
    signs = r"[\\{}<]" if hides_tags else r"[\\{}]"
    escaped = re.sub(signs, lambda sign: _escape(sign.group()), answer)
    return f"\\boxed{{{escaped}}}"


def _closed_boxes(text: str) -> list[_Span]:
    """Returns the insides of the boxes that are closed, in the order in which they close."""
    open_braces: list[tuple[bool, int]] = []
    found = []
    for brace in _BRACES.finditer(text):
        sign = brace.group()
        if sign == "}":
            is_box, start = open_braces.pop() if open_braces else (False, 0)
            if is_box:
                found.append((start, brace.start()))
        elif sign == "{" or len(sign) > 2:
            open_braces.append((sign != "{", brace.end()))
    return found


def _closed(tags: re.Pattern[str], text: str) -> list[_Span]:
    """Returns the insides of the elements of one tag that are closed, in order."""
    start: int | None = None
    found = []
    for tag in tags.finditer(text):
        if not tag.group(1):
            start = tag.end()
        elif start is not None:
            found.append((start, tag.start()))
            start = None
    return found


def _left_open(text: str, boxes: list[_Span]) -> list[_Span]:
    """Returns what follows an `<answer>` that is the last tag of a text; boxes around it count.

    The closing tag may be cut off within itself. An answer with a box that is cut off is none.
    """
    last = next(iter([*_TAGS.finditer(text)][-1:]), None)
    if last is None or last.group(1):
        return []
    closing = _CUT_CLOSING.search(text, last.end())
    end = closing.start() if closing else len(text)
    if _ANY_TAG.search(text, last.end(), end):
        return []
    n_boxes = sum(start > last.end() for start, _ in boxes)
    is_boxed = any(start <= last.start() < stop for start, stop in boxes)
    is_cut = len(_BOX_STARTS.findall(text, last.end(), end)) > n_boxes
    return [] if is_boxed or is_cut else [(last.end(), end)]


def _is_within(span: _Span, others: list[_Span]) -> bool:
    """Whether a span begins inside one of others, which are in order and don't overlap."""
    before = bisect_left(others, span) - 1
    return before >= 0 and span[0] < others[before][1]


def _plain(content: str) -> str:
    """Takes font commands and escapes off a declared answer."""
    for _ in range(MAX_UNWRAPS):
        content, n_unwrapped = _FONT.subn(r"\1", content)
        if not n_unwrapped:
            break
    return _ESCAPE.sub(lambda sign: sign.group(1) or "\\", content).strip()


def _escape(sign: str) -> str:
    """Writes one sign of an answer so that it neither opens nor closes anything."""
    return {"\\": r"\textbackslash{}", "<": r"\text{<}"}.get(sign, f"\\{sign}")
