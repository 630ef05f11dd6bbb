"""A message whose last sentence says which option fits.

The sentence has to say so itself ("This matches option (C).", "(C) olive is the best match."),
without a denial, a hedge, or another option beside it.
"""

from __future__ import annotations

import re

from .contradiction import letters_beside, names_another, rules_out, without_ruled_out
from .denial import DENIAL, HEDGE
from .message_lines import Line
from .shown_options import ShownOptions
from .spelling import is_short

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
    r"|leav(?:es|ing)(?: us with)?|choos(?:e|ing)|chose|select(?:ing|ed)?|pick(?:ed|ing)?"
    r"|go(?:ing)? (?:with|for)|opt(?:ing)? for|conclude|settle on|equals|means"
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
    r"|overall|finally|as a result|based on [^,]{1,120}|given [^,]{1,120}|clearly),? )*",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    rf",? (?:is|must be|would be|seems(?: to be)?|appears(?: to be)?)(?: {_ADVERB})?(?: the| my)?"
    r"(?: only| single| final| most)? (?:correct|right|best|closest|accurate|appropriate|suitable"
    r"|answer|choice|match|(?:one|option) that (?:\w+ )?(?:fits|matches))\b"
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
_OPEN = re.compile(rf"{DENIAL}|{HEDGE}", re.IGNORECASE)
_CONCESSION = re.compile(
    r"^(?:although|though|while|even though|despite) [^,]{1,300}, ", re.IGNORECASE
)


def option_of_last_sentence(lines: list[Line], options: ShownOptions) -> int | None:
    """Reads the option that the last sentence of a message says fits.

    Args:
        lines: the lines of the message.
        options: the options shown.

    Returns:
        The option's index; None where the sentence says of none, or of several, that it fits.
    """
    sentence = _last_sentence(lines[-1].text)
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
    """Reads "this matches (C)": what follows the last verb that says so."""
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


def _last_sentence(line: str) -> str:
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(line))]
    return line[starts[-1] :].strip()
