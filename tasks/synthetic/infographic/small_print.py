"""The small print of a page: the facts that are asked for, among others."""

from __future__ import annotations

from .page import PageContent

FACTS = ("source", "asked", "when", "edition")
"""What the small print contains, in the order of its sentences."""


def small_lines(content: PageContent) -> tuple[str, ...]:
    """Returns the lines of a page's small print."""
    small = content.small
    sentences = (
        f"Source: {small.source}. Printed with permission.",
        f"Figures are rounded; {small.asked} {content.about.people} were asked.",
        f"Data were collected in {small.when} and checked twice.",
        f"Edition {small.edition}. Please recycle this page.",
    )
    return tuple(sentences[place] for place in small.order)


def line_of(content: PageContent, fact: str) -> int:
    """Returns the number, from 0, of the line with a fact of `FACTS`."""
    return content.small.order.index(FACTS.index(fact))
