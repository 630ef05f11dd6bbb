"""A message whose last line is an option, and nothing but it.

Two things make such a line no declaration: it is one of several options that are listed, or what
introduces it denies it.
"""

from __future__ import annotations

import re

from .contradiction import letters_beside
from .denial import DENIAL, HEDGE
from .message_lines import Line
from .shown_options import ShownOptions

MAX_LINES = 200
"""How many lines before the last one are read: room for every option, discussed at length."""

_WORDS = (
    r"answer|ans\.?|option|choice|letter|conclusion|result|response|solution|verdict|prediction|selection"
    r"|pick|guess|decision|match"
)
_FOREIGN = (
    r"réponse|respuesta|risposta|resposta|antwort|lösung|antwoord|svar|vastaus|odpowiedź|cevap"
    r"|jawaban|ответ|답|정답|答え|答案|回答|正解|解答|答"
)
_LABEL = re.compile(
    rf"^(?:(?:so|thus|therefore|hence|and|my|the|final|correct|right|best|chosen|selected|overall"
    rf"|most likely),? ){{0,4}}(?:{_WORDS})(?: is)? ?[:=] ?"
    r"|^(?:(?:la|die|das|il|o|a|el|le|richtige|korrekte|最终|正确|最終|正確) ?){0,2}"
    rf"(?:{_FOREIGN})"
    r"(?: (?:finale?|final|correcte|correcta|correta|corretta))? ?(?:是|为|は|:) ?:? ?"
    r"|^(?:final|finally|conclusion|=>|->|→|⇒|∴) ?:? ?(?=\S)",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"(?:[-*•+–] |\d{1,2}[.)] )?(?:(?:option|choice) )?"
    r"(?:[(\[{]([A-Za-z])[)\]}]|([A-Z])(?=[.):] |[.):]$| ?[:,] | - |$)"
    r"|(?<=option )([A-Z])\b|(?<=choice )([A-Z])\b)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^(?:[-*•+–] |\d{1,2}[.)] )")
_SPOILT = re.compile(
    rf"{DENIAL}|{HEDGE}|\b(?:others?|remaining|alternatives?|except|unlike|second|another|possible|possibility|previous|initial(?:ly)?"
    r"|runner-?up|distractors?|worst|confus\w+|versus|vs|between|considered|considering|options"
    r"|choices|candidates|possibilities|question|compare[sd]?|next|check(?:ing)?|zoom(?:ing|s)?"
    r"|inspect(?:ing)?|examin(?:e|ing)|region|crop|(?:step|image|picture|frame|view) \d+)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"[.!?;,] ")
_CLOSED = (".", "!", "?", '"', "'", ")", "]")
_MARKED = re.compile(r"[(\[{][A-Za-z][)\]}]|[A-Z](?=[.):]? |[.)]?$)")
_PUNCTUATION = "()[]{}.:`\"' "
_REASON = re.compile(r",? (?:because|since|as it|as the) .*", re.IGNORECASE)
_COPULA = re.compile(r"(?:です|だ|である|입니다|이다)[.]?$")


def option_of_last_line(lines: list[Line], options: ShownOptions) -> int | None:
    """Reads the option that the last line of a message is.

    Args:
        lines: the lines of the message.
        options: the options shown.

    Returns:
        The option's index; None where the last line is more or less than one option, is one of a
        list, or is denied by what introduces it.
    """
    last, before = lines[-1], lines[-MAX_LINES - 1 : -1]
    index = option_of_line(last.text, options)
    if index is None:
        return _after_colon(last.text, options)
    if before and (_is_denied(before[-1], options) or _is_listed(index, last, before, options)):
        return None
    return index


def option_of_line(line: str, options: ShownOptions) -> int | None:
    """Reads a line that is an option alone, or behind a label ("Answer:")."""
    if line.rstrip("*_`\"') ").endswith("?"):
        return None
    index = options.whole(line)
    if index is not None:
        return index
    reason = _REASON.search(line)
    if reason is not None and not is_spoilt(f"{reason[0]}:"):
        line = line[: reason.start()]
    bare = _COPULA.sub("", _LABEL.sub("", line, count=1))
    return options.whole(bare)


def is_labelled(line: str) -> bool:
    """Whether a line begins with a label of an answer."""
    return _LABEL.match(line) is not None


def is_item(line: str, options: ShownOptions) -> bool:
    """Whether a line is an option, or begins with one as an item of a list does."""
    return _item(line, options) is not None


def is_spoilt(lead: str) -> bool:
    """Whether a line that leads over to the next one denies it, or lists or hedges.

    A line that ends a sentence has no effect on the next one.
    """
    if lead.endswith(_CLOSED):
        return False
    return _SPOILT.search(_CLAUSES.split(lead)[-1]) is not None


def _after_colon(line: str, options: ShownOptions) -> int | None:
    """Reads "So the colour fits this one: (C)"; the letter has to be marked as one."""
    lead, colon, tail = line.rpartition(": ")
    if not colon or not _MARKED.match(tail) or is_spoilt(f"{lead}:"):
        return None
    if _ITEM.match(lead) or any(each is not None for each in letters_beside(lead, options)):
        return None  # "(A) copper: B"
    return options.whole(tail)


def _is_denied(lead: Line, options: ShownOptions) -> bool:
    """Whether the line before the last one denies it; one about an option speaks of that one."""
    is_lead = lead.text.endswith(":") or _item(lead.text, options) is None
    return is_lead and is_spoilt(lead.text)


def _is_listed(index: int, last: Line, before: list[Line], options: ShownOptions) -> bool:
    """Whether the last line is one of several options that are listed.

    The options read out in full, in order, and one of them again behind a blank line, are a list
    and a choice. A letter alone, or behind a label, is no item of a list that discusses options.
    """
    items = [_item(line.text, options) for line in before]
    every = list(range(len(options.texts)))
    seen = [item for item in items if item is not None]
    if last.opens and seen[-len(every) :] == every:
        return False
    is_listable = not is_labelled(last.text) and len(last.text.strip(_PUNCTUATION)) > 1
    n_unlisted = next((n for n, item in enumerate(reversed(items)) if item is None), len(items))
    if {*items[len(items) - n_unlisted :]} - {index}:
        is_remark = option_of_line(before[-1].text, options) is None
        return is_listable or not (last.opens and is_remark)
    return is_listable and index > 0 and seen[-index:] == list(range(index))


def _item(line: str, options: ShownOptions) -> int | None:
    """The option that a line is, or begins with as an item of a list does."""
    index = option_of_line(line, options)
    if index is not None:
        return index
    match = _ITEM.match(line)
    if match is not None:
        return options.of_letter(next(group for group in match.groups() if group))
    return options.begun(_BULLET.sub("", line))
