"""The border of rows: what a row's values make of its reading is that row's fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pixel_env.media.border import foreign_bytes
from pixel_env.types import Sample

from .row import Row

_OWN_MISTAKES = (NameError, NotImplementedError, ImportError, AssertionError)
"""What no value of a row can bring about: mistakes in a task set's own code, which pass."""


@contextmanager
def at_border(row: Row) -> Iterator[None]:
    """Turns what is raised while a row is made a sample into a `DataError` that names it.

    Numbers of any size, texts that no file system takes, lists where a text was expected: a row can
    hold anything that its file can.
    """
    mistake: BaseException | None = None
    with foreign_bytes(f"{row.origin}:"):
        try:
            yield
        except _OWN_MISTAKES as own:
            mistake = own
    if mistake is not None:
        raise mistake


def check_texts(sample: Sample) -> None:
    """Makes sure that what a policy is shown, and what is written down of it, is text.

    Raises:
        ValueError: a text holds half of a surrogate pair, which JSON can write and UTF-8 can't.
    """
    texts = (sample.id, sample.question, sample.category, *sample.choices, *sample.answers)
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("a lone surrogate in its text") from None
