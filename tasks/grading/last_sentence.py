"""A message whose last sentence names the option that fits.

The sentence has to name it itself ("This matches option (C).", "(C) olive is the best match."),
without a denial, a hedge, or another option beside it.
"""

from __future__ import annotations

import re
from itertools import pairwise

from .contradiction import letters_beside, names_another, rules_out, without_ruled_out
from .denial import DENIAL, HEDGE, TENTATIVE
from .last_line import is_item, is_labelled, is_spoilt, option_of_line
from .message_lines import Line
from .shown_options import ShownOptions
from .spelling import is_short

MIN_WORDS = 4
"""A sentence of fewer words that is an option's text may be about something else."""

MAX_VERBS = 4
"""How many verbs of a sentence, from its end, may have the option behind them."""

_SENTENCE_END = re.compile(r"(?<=[^\s.])(?<!\b[A-Za-z])[.!?][)\"']{0,3} ")
_ADVERB = (
    r"(?:most likely|likely|probably|therefore|thus|clearly|indeed|simply|obviously|definitely)"
)
_FILL = (
    r"(?:(?:the|(?-i:a)|best|closest|given|correct|right|provided|listed|description|choices?|statement"
    r"|answers?|text|label(?:l?ed)?|in|of|for|as|with|only|exactly|directly|closely|most|well|our"
    r"|my|one|to|is|number|letter) )*"
)
_STRONG = re.compile(
    r"\b(?:match(?:es|ing)?|fits?|suits?|correspond(?:s|ing)?(?: \w+)? (?:to|with)|agrees? with"
    r"|aligns?(?: \w+)? with|consistent with|points? (?:to|towards?)|leads? (?:me )?to"
    r"|leav(?:es|ing)(?: us with)?|belongs? to|falls? under|equals|means"
    r"|(?<![\w'])(?:(?:i|we|let's|let us)(?:'d|'ll|'m|'re)?|^)(?: (?:would|will|am|are|must|should"
    r"|can|therefore|thus|hence|then|so|now))* ?(?:choos(?:e|ing)|select(?:ing)?|pick(?:ing)?"
    r"|go(?:ing)? (?:with|for)|opt(?:ing)? for|conclude|settle on|answer(?: with)?|say)"
    rf"|(?:best|closest|correct|right|nearest|only|most \w+)(?: \w+){{1,3}} (?:is|would be|must be)"
    rf"|(?:answer|option|choice)\b[^.!?:;]{{0,80}}? (?:is|would be|must be|should be)) {_FILL}"
    rf"(?:{_ADVERB},? )?",
    re.IGNORECASE,
)
_WEAK = re.compile(
    rf"\b(?:is|are|was|remains|seems to be|appears to be|must be|would be),? (?:{_ADVERB},? )?",
    re.IGNORECASE,
)
_THEREFORE = re.compile(
    r"(?:^|, )(?:and )?(?:so|hence|thus|therefore|consequently|accordingly|ergo|i\.e\.|that is"
    r"|in conclusion|in summary|overall|finally|as a result)[,:]? (?:it is |it's )?"
    r"|(?:→|=>|->|⇒|∴) ?",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"^(?:(?:and )?(?:so|hence|thus|therefore|consequently|accordingly|in conclusion|in summary"
    r"|overall|finally|as a result|clearly"
    r"|(?:based on|given|(?:out )?of|among|from) [^,]{1,120}),? )*",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    rf" it is$|,? (?:is|must be|would be|seems(?: to be)?|appears(?: to be)?)(?: {_ADVERB})?"
    r"(?: the| my)?(?: only| single| final| most)? (?:correct|right|best|closest|accurate"
    r"|appropriate|suitable|answer|choice|match|(?:one|option) that (?:\w+ )?(?:fits|matches))\b"
    r"|,? (?:best |correctly |accurately |clearly )?(?:matches|fits|corresponds|describes|answers)"
    r"(?=$| (?:best|this|it|that|exactly|perfectly|well|what|my|with|to|the (?:image|picture|photo"
    r"|scene|description|observations?|evidence|question|visual|details?)))",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r",? (?:because|since|as|given|which|based on|due to|in the (?:list|options|picture|image)"
    r"|from the|among|of the|here|above|below|best|exactly|perfectly|well|closely)\b.*",
    re.IGNORECASE,
)
_CLEARLY = re.compile(
    r"(?:the )?(?:option|choice|answer|letter) |[(\[{][A-Za-z][)\]}]", re.IGNORECASE
)
_MAKES = re.compile(
    r"\bmak(?:es?|ing) (.{1,300}?) (?:as )?(?:the )?(?:best|correct|right|closest|only|most)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(rf"{DENIAL}|{HEDGE}|{TENTATIVE}", re.IGNORECASE)
_CONCESSION = re.compile(
    r"^(?:although|though|while|even though|despite) [^,]{1,300}, ", re.IGNORECASE
)


def option_of_last_sentence(lines: list[Line], options: ShownOptions) -> int | None:
    """Reads the option that the last sentence of a message names as fitting.

    Args:
        lines: the lines of the message.
        options: the options shown.

    Returns:
        The option's index; None where the sentence names none, or several.
    """
    *before, sentence = _sentences(lines[-1].text)
    if before:  # a sentence that is the whole line was read as a line, or refused as one
        index = _as_sentence(sentence, before[-1], options)
        if index is not None:
            return index
    if sentence.endswith("?") or not is_short(sentence):
        return None
    sentence = _CONCESSION.sub("", sentence.rstrip(".! "))
    index = _says(sentence, options)
    if index is not None or not rules_out(sentence):
        return index
    for index in range(len(options.texts)):
        if _says(without_ruled_out(sentence, options, index), options) == index:
            return index
    return None


def _says(sentence: str, options: ShownOptions) -> int | None:
    """The one option of a sentence, what it rules out left aside."""
    subject = _as_subject(sentence, options)
    index, mention = subject if subject[0] is not None else _as_object(sentence, options)
    if index is None:
        return None
    rest = sentence.replace(mention, " ", 1)
    if _OPEN.search(rest):
        return None
    if any(letter not in (None, index) for letter in letters_beside(rest, options)):
        return None
    return None if names_another(rest, options, index) else index


def _as_object(sentence: str, options: ShownOptions) -> tuple[int | None, str]:
    """Reads "this matches (C)": what follows the last verb of fitting."""
    for pattern, is_strong in ((_STRONG, True), (_THEREFORE, True), (_WEAK, False)):
        for verb in reversed(list(pattern.finditer(sentence))[-MAX_VERBS:]):
            tail = sentence[verb.end() :]
            for mention in (tail, _REMARK.sub("", tail, count=1)):
                index = options.whole(mention)
                if index is not None and _is_mention(mention, options, is_strong):
                    return index, mention
    return None, ""


def _as_subject(sentence: str, options: ShownOptions) -> tuple[int | None, str]:
    """Reads "(C) olive is the best match"."""
    made = _MAKES.search(sentence)
    if made is not None and options.whole(made[1]) is not None:
        return options.whole(made[1]), made[1]
    start = _CONCLUDES.match(sentence)
    begun = sentence[start.end() :] if start else sentence
    for predicate in _PREDICATE.finditer(begun):
        mention = begun[: predicate.start()]
        index = options.whole(mention)
        if index is not None and _is_mention(mention, options, is_strong=True):
            return index, mention
    return None, ""


def _is_mention(mention: str, options: ShownOptions, is_strong: bool) -> bool:
    """Whether a text mentions an option; behind a weak verb, its letter has to be marked."""
    bare = mention.strip(" .,:;\"'")
    if len(bare) == 1 and not bare.isupper():
        return False
    if is_strong or _CLEARLY.match(bare):
        return True
    return options.of_text(bare) is None and options.of_letter(bare) is None


def _as_sentence(sentence: str, before: str, options: ShownOptions) -> int | None:
    """Reads a sentence that is an option itself: its marked letter, or a text of many words."""
    index = option_of_line(sentence, options)
    if index is None or is_item(before, options) or is_spoilt(before):
        return None
    if any(letter not in (None, index) for letter in letters_beside(before, options)):
        return None
    bare = sentence.strip(" .,:;\"'")
    is_marked = _CLEARLY.match(bare) or is_labelled(bare) or options.of_text(bare) is None
    if len(bare) > 1 and (is_marked or len(bare.split()) >= MIN_WORDS):
        return index
    return None


def _sentences(line: str) -> list[str]:
    """The last two sentences of a line; at least one."""
    ends = [match.end() for match in _SENTENCE_END.finditer(line)]
    starts = [0, *ends, len(line)][-3:] if ends else [0, len(line)]
    return [line[a:b].strip() for a, b in pairwise(starts)]
