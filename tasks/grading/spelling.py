r"""Which spellings of a declared answer mean the same; shared by the graders.

From the outside in: `opened` takes off a box or tag, `unwrapped` what only sets a font, `plain`
evens out small differences (case, white space, kinds of quotes), `loose` closing punctuation and
brackets around the whole, `quantity` how a number is written.
"""

from __future__ import annotations

import re
import unicodedata

from pixel_env.declared import declared_answer
from pixel_env.operations.answer import MAX_ANSWER_CHARS

from .denial import is_denied

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)
"""The words that are read as numbers; each stands at its own value."""

THOUSANDS = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+"
"""A number in groups of three digits, as a pattern."""

MAX_PEELED = 16
"""How many pairs of brackets or quotes are taken off a text, one inside the other."""

_WRAPPER = re.compile(r"\\boxed|\\fbox|<answer>", re.IGNORECASE)
_FONT = re.compile(r"\\(?:text|math)[a-z]{0,2}\s?\{([^{}]*)\}")
_TOKEN = re.compile(r"<\|\w{1,40}\|>")
_MATHEMATICS = re.compile(r"\\[(\[](.*)\\[)\]]", re.DOTALL)
_SIGNS = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | {"「": '"', "」": '"', "『": '"', "』": '"', "《": '"', "》": '"', "【": "[", "】": "]"}
    | {"〈": "[", "〉": "]", "〔": "[", "〕": "]", "〖": "[", "〗": "]", "⟨": "[", "⟩": "]"}
    | {"‹": '"', "›": '"', "。": ".", "、": ", ", "⁄": "/"}
    | dict.fromkeys("‐‑‒–—−", "-")
)
_COMPOSED = "²³¹¼-¾⁰-₉⅐-↉①-⒛⓪❶-➓"
_BESIDE_COMPOSED = re.compile(rf"(?<=[\d{_COMPOSED}])(?=[{_COMPOSED}])|(?<=[{_COMPOSED}])(?=\d)")
_PAIRS = {"(": ")", "[": "]", "{": "}"} | {sign: sign for sign in "\"'`*_$"}
_CLOSING = ".,;:!? \t\n"
_ARTICLE = re.compile(r"^(?:a|an|the) (?=\S)")

_LABEL = re.compile(
    r"\banswer ?(?:(?:is|would be|should be|must be)(?![a-z']) ?[:=]?|[:=])\s?", re.IGNORECASE
)
_QUANTITY = re.compile(
    rf"([$€£¥₹]?) ?(-?)({THOUSANDS}|[0-9]+|(?:{'|'.join(NUMBER_WORDS)})(?= |$))(\.[0-9]+)?"
    r"(?: ?([%°$€£¥₹]|[^\W\d_])(.*))?",
    re.DOTALL,
)
_BETWEEN_NUMBERS = re.compile(r"(?<=\d) ([-:/]) (?=\d)")
_TIME = re.compile(r"(?<![\w.:])(\d{1,2}(?::\d{2}){0,2}) ?([ap])\.? ?m\b\.?")
_PERCENT = re.compile(r"per ?cent(?= |$)")


def opened(answer: str) -> str | None:
    """Opens a box or answer tag that was left in a declared answer.

    Returns:
        What was declared, otherwise the text as written, however long: it may be a whole message
        with its answer at the end. None where the box is empty, not closed, or holds more
        than an answer may.
    """
    if not _WRAPPER.search(answer):
        return answer
    declared = declared_answer(answer)
    return declared if declared is not None and is_short(declared) else None


def is_short(text: str) -> bool:
    """Whether a text is short enough to be a declared answer."""
    return len(text) <= MAX_ANSWER_CHARS


def unwrapped(answer: str) -> str | None:
    """`opened`, in one Unicode form, without what only sets it.

    That is LaTeX's fonts and separators, Markdown's bold, and the tokens that models write around
    an answer (`<|im_end|>`).
    """
    inside = opened(answer)
    if inside is None:
        return None
    inside = _FONT.sub(r"\1", _TOKEN.sub(" ", even(inside)))
    inside = inside.replace("**", "").replace("{,}", ",").strip()
    mathematics = _MATHEMATICS.fullmatch(inside)
    return inside if mathematics is None else mathematics[1]


def stated(answer: str) -> str | None:
    """What follows the last "answer is" or "answer:" of an answer; None where there is none.

    A label with a denial or a condition before it, in the same clause, states nothing: "I don't
    think the answer is 4".

    Args:
        answer: an answer, `unwrapped`.
    """
    labels = list(_LABEL.finditer(answer))
    if not labels or is_denied(answer[: labels[-1].start()]):
        return None
    return answer[labels[-1].end() :]


def even(text: str) -> str:
    """One Unicode form, straight quotes, plain dashes and full stops, nothing invisible.

    A raised or circled digit, and a fraction in one sign, stay apart from the digits beside them:
    "5²" doesn't mean 52.
    """
    if text.isascii():
        return text
    apart = _BESIDE_COMPOSED.sub(" ", text)
    folded = unicodedata.normalize("NFKC", apart).translate(_SIGNS)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")


def plain(text: str) -> str:
    """Unicode form, quotes, case and white space evened out; every visible character kept."""
    return " ".join(even(even(text).casefold()).split())


def loose(text: str) -> str:
    """`plain` without closing punctuation, enclosing brackets and quotes, and leading article."""
    return _ARTICLE.sub("", stripped(plain(text)))


def quantity(text: str) -> str:
    """`loose`, with a number at its start written in one way, and apart from its unit.

    A word up to twenty becomes digits, groups of thousands are joined, "percent" becomes "%". The
    digits themselves stay as they are ("5.0" isn't "5"), and so do sign and unit. Blanks around a
    sign between two numbers go ("2 - 0"), and those in a time of the day ("3:40 p.m.").

    Example:
        >>> quantity("3:40 P.M."), quantity("2 - 0")
        ('3:40 pm', '2-0')
        >>> quantity("1,200km"), quantity("Twelve percent"), quantity("$ 5.50")
        ('1200 km', '12 %', '$5.50')
        >>> quantity("ten-gallon hat")
        'ten-gallon hat'
    """
    spelt = _BETWEEN_NUMBERS.sub(r"\1", _TIME.sub(r"\1 \2m", loose(text)))
    match = _QUANTITY.fullmatch(spelt)
    if match is None:
        return spelt
    currency, sign, number, fraction = match[1], match[2], match[3], match[4] or ""
    if number in NUMBER_WORDS:
        number = str(NUMBER_WORDS.index(number))
    unit = _PERCENT.sub("%", f"{match[5] or ''}{match[6] or ''}", count=1)
    return f"{currency}{sign}{number.replace(',', '')}{fraction} {unit}".rstrip()


def stripped(text: str) -> str:
    """Takes off closing punctuation, and up to `MAX_PEELED` pairs around the whole.

    Each pair costs a pass over the text, so their number has a bound: a message may be long.
    """
    for _ in range(MAX_PEELED):
        before = text
        text = text.strip().rstrip(_CLOSING).rstrip()
        if _is_enclosed(text):
            text = text[1:-1]
        if text == before:
            break
    return text


def _is_enclosed(text: str) -> bool:
    """Whether one pair of signs, or several of the same kind, stands around a text."""
    opening, inside, closing = text[:1], text[1:-1], text[-1:]
    if inside == "" or _PAIRS.get(opening) != closing:
        return False
    is_single = opening not in inside and closing not in inside
    return is_single or (inside[0] == opening and inside[-1] == closing)
