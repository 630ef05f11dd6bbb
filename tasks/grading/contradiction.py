"""Whether what stands beside a letter takes it back, or names another option."""

from __future__ import annotations

import re

from pixel_env.types import LETTERS

from .denial import DENIAL
from .shown_options import ShownOptions, words

_SUBJECT = re.compile(
    r"(?:is|are|was|were|isn't|wasn't|seems|looks|appears|could|can|may|might|would|will|should|has"
    r"|have|does|do|did|refers|shows|says|describes|means|stands|also|only|and|or|if|unless|when"
    r"|where|versus|vs)\b"
)
"""What makes a letter or text the subject of a longer sentence, in small letters."""

REASON = re.compile(
    r"(?:is|was|seems|must be|would be) (?:clearly |therefore |thus )?(?:the |my )?(?:final )?"
    r"(?:(?:correct|right|best)(?: (?:answer|option|choice|match|fit|one|description))?"
    r"|answer|choice)(?=$|[ ]?[.,;:!)\n]| (?:because|since|as|for|here|given)\b| $)"
    r"|(?:because|since|as(?! well))\b",
    re.IGNORECASE,
)
"""What may follow a letter, or a letter and its text, and explains it."""

RETRACTION = re.compile(
    r"\b(?:no,|wait|actually|on second thou?ght|scratch that|correction|sorry|hmm|oops)(?!\w)",
    re.IGNORECASE,
)
_BUT_DENIED = re.compile(
    rf"\b(?:but|however|though|although|yet|except)\b[^.!?]*(?:{DENIAL})", re.IGNORECASE
)
_LETTER_BESIDE = re.compile(
    r"[(\[{]([A-Za-z])[)\]}]"  # in brackets, anywhere
    r"|^(?:or |and |[/&|] ?)?([A-Za-z])(?=$|[.,;:)/])"  # "B, c" and "B. C."
    r"|^(?:or|and|[/&|]) ([A-Za-z])\b"  # "(A) or B, I think"
    r"|(?<![\w'])([A-Za-z])[.):](?=\s|$)"  # "A. cotton B. rubber"
    r"|(?<![\w'])([B-HJ-Z])(?![\w'])"  # a capital that is neither article nor pronoun
    r"|(?<![\w'])([A-Z])$"  # "B. Actually A"
)
_OUT_WORD = r"\b(?:not|rather than|instead of|unlike|over)\s"
_OUT = rf"{_OUT_WORD}(?:(?:the|option|choice)\s)*"
_RULES_OUT = re.compile(_OUT_WORD, re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"(?:(?:that|this|it|which|i|can|could|would|should|must|may|is|s|was|be|am|seems|looks) ){0,3}"
    r"(?:(?:also|certainly|clearly|definitely|likely|obviously|probably|really|surely) )?"
    r"(?:not|no|never|cannot|(?:is|was|does|do|did|can|could|would|wo)n t"
    r"|wrong|incorrect|false|impossible|unlikely) "
)


def contradicts(rest: str, options: ShownOptions, index: int) -> bool:
    """Tells whether what follows a letter takes it back, or names another option beside it.

    Args:
        rest: the text that follows the letter, without a reason ("because ...").
        options: the options.
        index: the option of the letter.
    """
    if _SUBJECT.match(rest) or RETRACTION.search(rest) or _BUT_DENIED.search(rest):
        return True
    rest = without_ruled_out(rest, options, index)
    if any(letter not in (None, index) for letter in letters_beside(rest, options)):
        return True
    text_words, own = words(rest), options.words[index]
    others = [other for i, other in enumerate(options.words) if i != index and other.strip()]
    if not text_words.startswith(own) or not own.strip():
        return bool(_TAKEN_BACK.match(text_words)) or names_another(rest, options, index)
    if any(text_words.startswith(other) for other in others if len(other) > len(own)):
        return True
    after = text_words[len(own) :]
    if REASON.match(after):
        return False
    if _TAKEN_BACK.match(after) and not after.startswith("not "):
        return True
    return bool(_SUBJECT.match(after)) or names_another(after, options, index)


def names_another(text: str, options: ShownOptions, index: int) -> bool:
    """Whether a text holds the text of another option than `index`, as words of its own."""
    text_words, own = f" {words(text)}", f" {options.words[index]}"
    without_own = text_words.replace(own, " ") if own.strip() else text_words
    for other in (f" {each}" for i, each in enumerate(options.words) if i != index):
        if other.strip() and other in (text_words if own in other else without_own):
            return True
    return False


def letters_beside(text: str, options: ShownOptions) -> list[int | None]:
    """The options of the letters that a text mentions as letters; None for other letters."""
    found = _LETTER_BESIDE.finditer(text)
    return [options.of_letter(next(group for group in match.groups() if group)) for match in found]


def rules_out(text: str) -> bool:
    """Whether a text has words that may rule an option out."""
    return _RULES_OUT.search(text) is not None


def without_ruled_out(text: str, options: ShownOptions, index: int) -> str:
    """Leaves out what rules other options out: "not (A)", "rather than cotton"."""
    if not rules_out(text):
        return text
    letter = LETTERS[index] if index < len(LETTERS) else ""
    others = [re.escape(each) for i, each in enumerate(options.texts) if i != index and each]
    texts = "|".join(sorted(others, key=len, reverse=True)) or r"(?!)"
    pattern = (
        rf"{_OUT}(?:[(\[]?(?-i:(?!{letter or '(?!)'})[A-Z])[)\]]?(?![\w'])[.:]?"
        rf"(?:\s(?:{texts})(?!\w))?"
        rf"|(?:{texts})(?!\w))"
    )
    return re.sub(pattern, "", text, flags=re.IGNORECASE)
