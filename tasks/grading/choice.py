r"""What a declared answer is worth.

Every function here reads the *declared* answer only: what a policy gave as its answer, never
the reasoning before it. The rules are strict where a lenient one could credit a policy for
something that it didn't say, and each is a row of `tests/tasks/grading_cases.jsonl`:

- a letter is read only where it stands as an answer, never out of a word;
- a letter beside the text of another option contradicts itself and counts as no answer, and so
  does an answer that names a second letter;
- of several statements ("Answer: A ... Answer: B") the last one is taken;
- a single letter is always an option letter, also where it is some option's text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pixel_env.errors import ConfigError
from pixel_env.types import LETTERS, Grade, Sample

from .spelling import loose, plain, stripped, unwrapped

_CUE = re.compile(
    r"\b(?:answer|choice|option) ?(?:is|would be|should be|must be|:|=)(?![a-z']) ?[:=]? ?"
    r"|^(?:i (?:think|believe) )?(?:that )?(?:it is|it's) "
    r"|\bi(?: would|'d| will|'ll)? (?:choose|pick|select|go with|think(?: it is| it's)?) ",
    re.IGNORECASE,
)
_NOUN = re.compile(r"^(?:the )?(?:correct )?(?:option|choice|letter|answer) ", re.IGNORECASE)
_MARKED = re.compile(r"[(\[{]([A-Za-z])[)\]}][.:,;]?\s*(.*)", re.DOTALL)
_POINTED = re.compile(r"([A-Za-z])(?:[.):\]](?=\s|$)|\s?[,;]|\s-\s|\n)\s*(.*)", re.DOTALL)
_SPACED = re.compile(r"([A-Z]) (.+)", re.DOTALL)
_TRAILING = re.compile(r"(.+?) ?[(\[]([A-Za-z])[)\]]", re.DOTALL)
_REASON = re.compile(
    r"(?:is|was|seems|must be) (?:the )?(?:correct|right|best|answer)\b|(?:because|since)\b",
    re.IGNORECASE,
)
_SECOND_LETTER = re.compile(
    r"[(\[][A-Za-z][)\]]"  # a letter in brackets, anywhere
    r"|^(?:or |and |[/&] ?)?[A-Z](?:$|[.,;:)/])"  # "B, C" and "B. C."
    r"|^(?:or|and|/|&) [A-Z]\b"  # "(A) or B, I think"
    r"|\s[A-Z][.):](?:\s|$)"  # "A. cotton B. rubber"
)


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
    last = stripped(lines[cues[-1].end() :])
    index = _bare(last, choices)
    return _letter_with_text(last, choices) if index is None else index


def _bare(said: str, choices: Sequence[str]) -> int | None:
    """Reads an answer that is nothing but a letter ("B", "(B)", "option B") or an option's text."""
    for text in (said, _NOUN.sub("", stripped(said))):
        if re.fullmatch(r"[A-Za-z]", stripped(text)):
            return _index_of_letter(stripped(text), choices)
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
    index = None if match is None else _index_of_letter(match[1], choices)
    if match is None or index is None:
        return None
    rest = match[2].strip()
    if _index_of_text(rest, choices) == index or _REASON.match(rest):
        return index
    if not marked or _SECOND_LETTER.search(rest) or _starts_with_another(rest, choices, index):
        return None
    return index


def _starts_with_another(text: str, choices: Sequence[str], index: int) -> bool:
    """Whether a text starts with another option's words, and not with longer ones of its own."""
    said, *options = (_words(part) for part in (text, *choices))
    own = options.pop(index)
    if said.startswith(own):
        options = [other for other in options if len(other) > len(own)]
    return any(other.strip() != "" and said.startswith(other) for other in options)


def _words(text: str) -> str:
    """The words of a text in small letters, without a leading article, each ended by a space."""
    return re.sub(r"\W+", " ", loose(text)).strip() + " "


def _index_of_letter(letter: str, choices: Sequence[str]) -> int | None:
    index = LETTERS.index(letter.upper())
    return index if index < len(choices) else None


def _index_of_text(text: str, choices: Sequence[str]) -> int | None:
    """The one option with this text, under the strictest reading that finds any."""
    for form in (str.strip, plain, loose):
        wanted = form(text)
        found = [i for i, choice in enumerate(choices) if wanted and form(choice) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None
