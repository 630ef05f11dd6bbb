"""Where right options stood and which were chosen: a policy with a favourite place shows here.

A benchmark whose right answers prefer a place can be scored on without a zoom, and a policy that
prefers one loses or gains by luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import pstdev

from pixel_env.types import LETTERS

from .results import EpisodeResult, counted
from .statistics import ChiSquare, Estimate, chi_square, share_interval

UNLIKELY = 0.01
"""Below this probability a report calls an imbalance more than chance."""


@dataclass(frozen=True, slots=True)
class OptionPlace:
    """One place among the options.

    Attributes:
        letter: the letter that the place is shown under.
        n_right: episodes whose right option stood there.
        n_chosen: episodes that chose it.
        accuracy: share of right answers where the right option stood there, with its interval.
    """

    letter: str
    n_right: int
    n_chosen: int
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class PlaceAudit:
    """The places of all options.

    The tests take one episode of each sample (the first), since repeats aren't independent. They
    compare with every option of a sample being as likely; where samples have different numbers
    of options, the chi-square distribution is an approximation.

    Attributes:
        places: from A on.
        n_none: episodes that named no option.
        right: the places of the right options against equal ones.
        chosen: the places chosen against equal ones, among episodes that named an option.
        recall_spread: standard deviation of the accuracies over places (RStd of Zheng et al.,
            arXiv 2309.03882); 0 is no bias.
    """

    places: tuple[OptionPlace, ...]
    n_none: int
    right: ChiSquare
    chosen: ChiSquare
    recall_spread: float


def chosen_place(parsed: str | None, choices: Sequence[str]) -> int | None:
    """Returns the place (from 0) of the option that a graded answer names; None where it doesn't.

    Args:
        parsed: the answer as the grader understood it: a letter, or an option's text.
        choices: the options in the order shown.

    Example:
        >>> chosen_place("B", ("red", "blue")), chosen_place("blue", ("red", "blue"))
        (1, 1)
    """
    if parsed is None:
        return None
    letters = LETTERS[: len(choices)]
    if len(parsed) == 1 and parsed.upper() in letters:
        return letters.index(parsed.upper())
    folded = [choice.strip().casefold() for choice in choices]
    name = parsed.strip().casefold()
    return folded.index(name) if folded.count(name) == 1 else None


def audit_places(results: Sequence[EpisodeResult]) -> PlaceAudit | None:
    """Audits the episodes with options; None where there are none."""
    known = [result for result in counted(results) if result.right_choice is not None]
    if not known:
        return None
    n_places = max(result.n_choices for result in known)
    right = Counter(result.right_choice for result in known)
    chosen = Counter(result.chosen for result in known)
    places = []
    for place in range(n_places):
        here = [result for result in known if result.right_choice == place]
        accuracy = share_interval([r.correct for r in here], [r.index for r in here])
        letter = LETTERS[place] if place < len(LETTERS) else str(place + 1)
        places.append(OptionPlace(letter, right[place], chosen[place], accuracy))
    first = [result for result in known if result.repeat == 0]
    named = [result for result in first if result.chosen is not None]
    recalls = [place.accuracy.mean for place in places if place.n_right]
    return PlaceAudit(
        tuple(places),
        chosen[None],
        _against_equal([r.right_choice for r in first], [r.n_choices for r in first]),
        _against_equal([r.chosen for r in named], [r.n_choices for r in named]),
        pstdev(recalls),
    )


def _against_equal(taken: Sequence[int | None], n_choices: Sequence[int]) -> ChiSquare:
    """Compares the places taken with each of a sample's options being as likely."""
    counts = Counter(taken)
    places = range(max(n_choices, default=0))
    expected = [sum(1 / n for n in n_choices if place < n) for place in places]
    return chi_square([counts[place] for place in places], expected)
