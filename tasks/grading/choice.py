"""Grades an answer to a question with options: the right letter, or the right text.

The rules are strict where a lenient one could credit a policy for something that it didn't answer,
and each is a row of `tests/tasks/grading_cases.jsonl`:

- a letter is read only where it stands as an answer, never out of a word;
- a letter beside the text of another option contradicts itself and counts as no answer, and so
  does an answer that names a second letter, or takes its letter back;
- of several statements ("Answer: A ... Answer: B") the last one is taken; one that is denied or
  conditional ("I don't think the answer is B") states nothing;
- of a message in prose, the last line is read if it is an option and nothing else, and the last
  sentence if it names which option fits;
- a letter that an option is shown under is always that letter, also where it is some option's
  text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pixel_env.errors import ConfigError
from pixel_env.types import LETTERS, Grade, Sample

from .contradiction import REASON, RETRACTION, contradicts
from .denial import is_denied
from .last_line import (
    is_item,
    is_labelled,
    is_spoilt,
    option_of_last_line,
    option_of_line,
)
from .last_sentence import option_of_last_sentence
from .message_lines import Line, message_lines
from .shown_options import ShownOptions, without_noun
from .spelling import stripped, unwrapped

_CUE = re.compile(
    r"\b(?:answer|ans|choice|option|guess|pick) ?(?:(?:is|'s|would be|should be|must be)(?![a-z'])"
    r" ?[:=]?|[:=]) ?"
    r"(?:(?:most likely|likely|probably|therefore|thus|clearly|definitely),? )?"
    r"|^(?:i (?:think|believe) )?(?:that )?(?:so )?"
    r"(?:it is|it's|it (?:must|has to|should|would) be) "
    r"|\bi(?: would|'d| will|'ll|'m| am)? (?:choose|choosing|pick|select|go with|going with|opt for"
    r"|answer|(?:say|think)(?: that)?(?: it is| it's)?) "
    r"|(?:答案|答え|정답) ?(?:[是为は은]|:) ?:? ?|选择? ?(?=[(A-Za-z])",
    re.IGNORECASE | re.MULTILINE,
)
_ASKS = re.compile(r"[^.!?\n]*\?")
_SENTENCES = re.compile(r"[.!?\n]")
_OTHER = re.compile(
    r"\b(?:other|second|alternative|previous|earlier|wrong|least|worst|next|former|given|rejected"
    r"|considered|tempting)\b",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"(?:explanation|reason(?:ing)?|rationale|because|since|note)\b", re.IGNORECASE
)
_MARKED = re.compile(r"[(\[{]([A-Za-z])[)\]}][.:,;]?\s*(.*)", re.DOTALL)
_POINTED = re.compile(
    r"([A-Za-z])(?:[.):\]](?=\s|$)|\s?[,;]|\s-\s|\n|\s(?=\([^()]*\)$))\s*(.*)", re.DOTALL
)
_SPACED = re.compile(r"([A-Z]) (.+)|([A-Za-z])[.):\]](\S.*)", re.DOTALL)


def grade_choice(sample: Sample, answer: str) -> Grade:
    """Grades an answer to a question with options: right letter or right text scores 1.

    Args:
        sample: the sample, its `choices` in the order shown.
        answer: the declared answer.

    Raises:
        ConfigError: the sample has no options.
    """
    if sample.right_choice is None:
        raise ConfigError(f"sample {sample.id!r} has no options; use grade_text")
    index = declared_letter(answer, sample.choices)
    correct = index == sample.right_choice
    parsed = None
    if index is not None:
        parsed = LETTERS[index] if index < len(LETTERS) else sample.choices[index]
    return Grade(score=float(correct), correct=correct, parsed=parsed)


def declared_letter(answer: str, choices: Sequence[str]) -> int | None:
    """Reads which option a declared answer, or a message in prose, names.

    Args:
        answer: the declared answer or the message, of any length; a box or answer tag left in it
            is opened first.
        choices: the options in the order shown, without letters.

    Returns:
        The option's index, from 0; None where the answer names none, or more than one.

    Example:
        >>> declared_letter("(B) rubber", ["cotton", "rubber"])
        1
        >>> declared_letter("B. cotton", ["cotton", "rubber"]) is None
        True
        >>> declared_letter("The sole shines. This matches option (B).", ["cotton", "rubber"])
        1
    """
    message = unwrapped(answer)
    if message is None:
        return None
    options = ShownOptions(choices)
    lines = message_lines(message)
    index = None if message.endswith("?") else options.bare(message)
    if index is not None or not lines:
        return index
    readings = (option_of_last_line, _option_explained, _option_stated, option_of_last_sentence)
    for read in readings:
        index = read(lines, options)
        if index is not None:
            return index
    return None


def _option_stated(lines: list[Line], options: ShownOptions) -> int | None:
    """Reads the last statement ("the answer is B"), or a message that begins with its option."""
    text = "\n".join(line.text for line in lines)
    cues = list(_CUE.finditer(text))
    if not cues:
        return None if _is_discussed(lines, options) else _letter_with_text(text, options)
    before = text[: cues[-1].start()]
    if is_denied(before) or _OTHER.search(_SENTENCES.split(before)[-1]):
        return None
    stated = text[cues[-1].end() :]
    return None if _ASKS.match(stated) else _letter_with_text(stated, options)


def _option_explained(lines: list[Line], options: ShownOptions) -> int | None:
    """Reads an option on the first line, or behind a label, that later lines explain."""
    labelled = [place for place, line in enumerate(lines[:-1]) if is_labelled(line.text)]
    place = labelled[-1] if labelled else 0
    index = option_of_line(lines[place].text, options)
    later = lines[place + 1 :]
    if index is None or not later or not (later[0].opens or _EXPLAINS.match(later[0].text)):
        return None
    if place and is_spoilt(lines[place - 1].text):
        return None
    after = "\n".join(line.text for line in later)
    if RETRACTION.search(after) or _CUE.search(after):
        return None
    is_item_of_list = not labelled and options.bare(lines[0].text) is None
    for line in later:
        if option_of_line(line.text, options) not in (None, index):
            return None
        if is_item_of_list and is_item(line.text, options):
            return None
    is_taken_back = not labelled and is_denied(_SENTENCES.split(after, maxsplit=1)[0])
    return None if is_taken_back else index


def _is_discussed(lines: list[Line], options: ShownOptions) -> bool:
    """Whether a message begins with letter and text of an option that it then discusses.

    It goes on in the next line, or denies it in the next sentence.
    """
    if len(lines) < 2 or options.whole(lines[0].text) is None or _EXPLAINS.match(lines[1].text):
        return False
    if options.bare(lines[0].text) is not None:
        return False
    return not lines[1].opens or is_denied(_SENTENCES.split(lines[1].text, maxsplit=1)[0])


def _letter_with_text(text: str, options: ShownOptions) -> int | None:
    """Reads "B. rubber", "(B) rubber", "rubber (B)", "B is correct"; None for a contradiction."""
    text = without_noun(stripped(text))
    index = options.whole(text)
    if index is not None:
        return index
    marked = _MARKED.fullmatch(text) or _POINTED.fullmatch(text)
    match = marked or _SPACED.fullmatch(text)
    if match is None:
        return None
    letter, rest = (group for group in match.groups() if group is not None)
    index, rest = options.of_letter(letter), rest.strip()
    if index is None:
        return None
    if options.of_text(rest) == index or REASON.match(rest):
        return index
    return index if marked and not contradicts(rest, options, index) else None
