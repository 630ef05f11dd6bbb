"""Grades an answer to a question with options: the right letter, or the right text.

The rules are strict where a lenient one could credit a policy for something that it didn't say,
and each is a row of `tests/tasks/grading_cases.jsonl`:

- a letter is read only where it stands as an answer, never out of a word;
- a letter beside the text of another option contradicts itself and counts as no answer, and so
  does an answer that names a second letter, or takes its letter back;
- of several statements ("Answer: A ... Answer: B") the last one is taken; one that is denied or
  conditional ("I don't think the answer is B") states nothing;
- a letter that an option is shown under is always that letter, also where it is some option's
  text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pixel_env.errors import ConfigError
from pixel_env.types import LETTERS, Grade, Sample

from .spelling import is_denied, loose, plain, quantity, stripped, unwrapped

_CUE = re.compile(
    r"\b(?:answer|choice|option) ?(?:(?:is|would be|should be|must be)(?![a-z']) ?[:=]?|[:=]) ?"
    r"|^(?:i (?:think|believe) )?(?:that )?(?:it is|it's) "
    r"|\bi(?: would|'d| will|'ll)? (?:choose|pick|select|go with|think(?: it is| it's)?) "
    r"|答案 ?(?:[是为]|:) ?:? ?",
    re.IGNORECASE,
)
_NOUN = re.compile(r"^(?:the )?(?:correct )?(?:option|choice|letter|answer) ", re.IGNORECASE)
_MARKED = re.compile(r"[(\[{]([A-Za-z])[)\]}][.:,;]?\s*(.*)", re.DOTALL)
_POINTED = re.compile(r"([A-Za-z])(?:[.):\]](?=\s|$)|\s?[,;]|\s-\s|\n)\s*(.*)", re.DOTALL)
_SPACED = re.compile(r"([A-Z]) (.+)|([A-Za-z])[.):\]](\S.*)", re.DOTALL)
_TRAILING = re.compile(r"(.+?) ?[(\[]([A-Za-z])[)\]]", re.DOTALL)
_REASON = re.compile(
    r"(?:is|was|seems|must be) (?:the )?(?:correct|right|best|answer)\b|(?:because|since)\b",
    re.IGNORECASE,
)
_LETTER_BESIDE = re.compile(
    r"[(\[{]([A-Za-z])[)\]}]"  # in brackets, anywhere
    r"|^(?:or |and |[/&|] ?)?([A-Za-z])(?=$|[.,;:)/])"  # "B, c" and "B. C."
    r"|^(?:or|and|[/&|]) ([A-Za-z])\b"  # "(A) or B, I think"
    r"|(?<![\w'])([A-Za-z])[.):](?=\s|$)"  # "A. cotton B. rubber"
    r"|(?<![\w'])([B-HJ-Z])(?![\w'])"  # a capital that is neither article nor pronoun
    r"|(?<![\w'])([A-Z])$"  # "B. Actually A"
)
_RULED_OUT = re.compile(r"\b(?:not|rather than|instead of) \(?([A-Z])\)?(?![\w'])")
_TAKEN_BACK = re.compile(
    r"(?:(?:that|this|it|which|i|can|could|would|should|must|may|is|s|was|be|am|seems|looks) ){0,3}"
    r"(?:(?:also|certainly|clearly|definitely|likely|obviously|probably|really|surely) )?"
    r"(?:not|no|never|cannot|(?:is|was|does|do|did|can|could|would|wo)n t"
    r"|wrong|incorrect|false|impossible|unlikely) "
)
_BETWEEN = re.compile(r"(?:(?:or|and|maybe|perhaps|possibly|but) )*")


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
    """Reads which option a declared answer names.

    Args:
        answer: the declared answer; a box or answer tag left in it is opened first.
        choices: the options in the order shown, without letters.

    Returns:
        The option's index, from 0; None where the answer names none, or more than one.

    Example:
        >>> declared_letter("(B) rubber", ["cotton", "rubber"])
        1
        >>> declared_letter("B. cotton", ["cotton", "rubber"]) is None
        True
        >>> declared_letter("I don't know", ["cotton", "rubber"]) is None
        True
    """
    said = unwrapped(answer)
    if said is None:
        return None
    index = _bare(said, choices)
    if index is not None:
        return index
    lines = re.sub(r"[^\S\n]+", " ", re.sub(r"\s*\n\s*", "\n", said.strip()))
    cues = list(_CUE.finditer(lines))
    if not cues:
        return _letter_with_text(stripped(lines), choices)
    if is_denied(lines[: cues[-1].start()]):
        return None
    last = stripped(lines[cues[-1].end() :])
    index = _bare(last, choices)
    return _letter_with_text(last, choices) if index is None else index


def _bare(said: str, choices: Sequence[str]) -> int | None:
    """Reads an answer that is nothing but a letter ("B", "(B)", "option B") or an option's text."""
    for text in (said, _NOUN.sub("", stripped(said))):
        index = _index_of_letter(stripped(text), choices)
        if index is None:
            index = _index_of_text(text, choices)
        if index is not None:
            return index
    return None


def _letter_with_text(said: str, choices: Sequence[str]) -> int | None:
    """Reads "B. rubber", "(B) rubber", "rubber (B)", "B is correct"; None for a contradiction."""
    said = _NOUN.sub("", said)
    trailing = _TRAILING.fullmatch(said)
    if trailing is not None and _index_of_text(trailing[1], choices) is not None:
        index = _index_of_letter(trailing[2], choices)
        return index if _index_of_text(trailing[1], choices) == index else None
    marked = _MARKED.fullmatch(said) or _POINTED.fullmatch(said)
    match = marked or _SPACED.fullmatch(said)
    if match is None:
        return None
    letter, rest = (group for group in match.groups() if group is not None)
    index, rest = _index_of_letter(letter, choices), rest.strip()
    if index is None:
        return None
    if _index_of_text(rest, choices) == index or _REASON.match(rest):
        return index
    return index if marked and not _contradicts(rest, choices, index) else None


def _contradicts(rest: str, choices: Sequence[str], index: int) -> bool:
    """Whether what follows a letter takes it back, or names another option beside it."""
    rest = _RULED_OUT.sub(lambda out: out[0] if out[1] == LETTERS[index] else "", rest)
    for match in _LETTER_BESIDE.finditer(rest):
        letter = next(group for group in match.groups() if group)
        if _index_of_letter(letter, choices) not in (None, index):
            return True
    said, *options = (_words(part) for part in (rest, *choices))
    own = options.pop(index)
    others = [other for other in options if other.strip()]
    if not said.startswith(own) or not own.strip():
        named = " " + said.replace(own, " ")
        return bool(_TAKEN_BACK.match(said)) or any(f" {other}" in named for other in others)
    if any(said.startswith(other) for other in others if len(other) > len(own)):
        return True
    after = said[len(own) :]
    if _TAKEN_BACK.match(after) and not after.startswith("not "):
        return True
    hedge = _BETWEEN.sub("", after, count=1)
    return any(hedge.startswith(other) for other in others)


def _words(text: str) -> str:
    """The words of a text in small letters, without a leading article, each ended by a space."""
    return re.sub(r"\W+", " ", loose(text)).strip() + " "


def _index_of_letter(text: str, choices: Sequence[str]) -> int | None:
    """The index of the option shown under a letter; None for any other text."""
    index = LETTERS.find(text.upper()) if len(text) == 1 else -1
    return index if 0 <= index < len(choices) else None


def _index_of_text(text: str, choices: Sequence[str]) -> int | None:
    """The one option with this text, under the strictest reading that finds any."""
    for form in (str.strip, plain, loose, quantity):
        wanted = form(text)
        found = [i for i, choice in enumerate(choices) if wanted and form(choice) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None
