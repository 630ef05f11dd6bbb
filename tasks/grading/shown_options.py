"""The options of a question as they are shown, and which of them a short text names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pixel_env.types import LETTERS

from .spelling import is_short, loose, plain, quantity, stripped

_FORMS: tuple[Callable[[str], str], ...] = (str.strip, plain, loose, quantity)
"""From the strictest reading of a text to the loosest."""

_NOUN = re.compile(
    r"^(?:the )?(?:(?:correct|right|best) )?(?:option|choice|letter|answer)(?: |: ?)", re.IGNORECASE
)
_LEADING = re.compile(
    r"[(\[{]([A-Za-z])[)\]}](?:[\s.:,;=|/>→-]*)(\S.*)|([A-Za-z])(?:[\s.:,;)\]=|/>→-]+)(\S.*)",
    re.DOTALL,
)
_HALF_BRACKET = re.compile(r"([A-Za-z])[)\]]")
_TRAILING = re.compile(
    r"(.*[^\s,.:;-])[\s,.:;-]*(?:[(\[](?:(?:option|choice|answer|letter) )?([A-Za-z])[)\]]"
    r"|\b(?:option|choice|letter) ([A-Z]))",
    re.DOTALL | re.IGNORECASE,
)


class ShownOptions:
    """Options in the order shown.

    Attributes:
        texts: the options, without letters.
        words: the words of each, as `words` writes them.

    Example:
        >>> options = ShownOptions(["cotton", "rubber"])
        >>> [options.whole(text) for text in ("B", "Rubber.", "(B) rubber", "B. cotton")]
        [1, 1, 1, None]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Takes the options; each is spelt in every form once."""
        self.texts = tuple(texts)
        self.words = tuple(words(text) for text in texts)
        self._by_form: list[dict[str, list[int]]] = [{} for _ in _FORMS]
        for found, form in zip(self._by_form, _FORMS, strict=True):
            for index, text in enumerate(self.texts):
                found.setdefault(form(text), []).append(index)

    def of_letter(self, text: str) -> int | None:
        """The index of the option shown under a letter; None for any other text."""
        index = LETTERS.find(text.upper()) if len(text) == 1 else -1
        return index if 0 <= index < len(self.texts) else None

    def of_text(self, text: str) -> int | None:
        """The one option with this text, under the strictest reading that finds any."""
        if not is_short(text):
            return None
        for found, form in zip(self._by_form, _FORMS, strict=True):
            wanted = form(text)
            indices = found.get(wanted, []) if wanted else []
            if indices:
                return indices[0] if len(indices) == 1 else None
        return None

    def bare(self, text: str) -> int | None:
        """Reads what is nothing but a letter ("B", "(B)", "option B") or an option's text."""
        if not is_short(text):
            text = text.strip()
        for part in (text, _NOUN.sub("", stripped(text))) if is_short(text) else ():
            index = self.of_letter(_HALF_BRACKET.sub(r"\1", stripped(part)))
            if index is None:
                index = self.of_text(part)
            if index is not None:
                return index
        return None

    def whole(self, text: str) -> int | None:
        """Reads what is nothing but an option: as `bare`, or a letter beside its own text.

        Returns:
            The option's index; None where there is more, and where letter and text disagree.
        """
        index = self.bare(text)
        if index is not None or not is_short(text):
            return index
        text = without_noun(stripped(text))
        trailing = _TRAILING.fullmatch(text)
        if trailing is not None:
            index = self.of_text(trailing[1])
            if index is not None:
                return index if self.of_letter(trailing[2] or trailing[3]) == index else None
        leading = _LEADING.fullmatch(text)
        if leading is None:
            return None
        letter, rest = (group for group in leading.groups() if group is not None)
        index = self.of_letter(letter)
        return index if index is not None and self.of_text(rest) == index else None

    def begun(self, line: str) -> int | None:
        """The option whose words a line begins with, the longest; None where there is none."""
        begun = words(line[: 2 * max(map(len, self.texts)) + 8])
        fitting = [i for i, own in enumerate(self.words) if own.strip() and begun.startswith(own)]
        return max(fitting, key=lambda index: len(self.words[index]), default=None)


def without_noun(text: str) -> str:
    """Takes "option", "the correct choice" and the like off the front."""
    return _NOUN.sub("", text)


def words(text: str) -> str:
    """The words of a text in small letters, without a leading article, each ended by a space."""
    return re.sub(r"\W+", " ", loose(text)).strip() + " "
