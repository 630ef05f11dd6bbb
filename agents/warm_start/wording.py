"""The text of a demonstration around its calls: several wordings, or one short one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pixel_env.errors import unknown_name
from pixel_env.media.geometry import Box

Occasion = str
"""When a text is used; the keys of `FULL` and `BRIEF`."""

FULL: Mapping[Occasion, Sequence[str]] = {
    "first_zoom": (
        "The question is: {question} Seen as a whole, the picture is too coarse to tell. "
        "What I need should be in the {place} part, so I enlarge it.",
        "I go over the whole picture first. The detail that decides this is small; "
        "the {place} part is where to look, so I zoom in there.",
        "To answer this I have to see a small thing clearly. I take a closer look at the {place} "
        "part.",
    ),
    "next_zoom": (
        "That settles one part. I still have to see the {place} part of the other picture.",
        "One more thing has to be looked at: the {place} part of the other picture.",
    ),
    "again_zoom": (
        "This part does not show what the question asks about. I chose the wrong region; "
        "I try the {place} part instead.",
        "What I was looking for is not in this region. Let me correct that and enlarge "
        "the {place} part.",
        "The zoom missed it. I look again, this time at the {place} part.",
    ),
    "further_zoom": (
        "The thing in question is in here, but it is still small. I zoom further into the "
        "{place} part of this view.",
        "This is the right region. To be sure of the detail I enlarge the {place} part of it.",
    ),
    "first_frames": (
        "The question is: {question} I have gone through the frames; those that matter are "
        "too small to tell, so I select them.",
        "Going over the whole clip, only a part of it bears on the question. I look at these "
        "frames more closely.",
    ),
    "again_frames": (
        "These frames do not show what the question asks about. I select others.",
        "The moment in question is not among these. Let me correct that and take other frames.",
    ),
    "refused": (
        "That call was not accepted. I correct it.",
        "The call was refused, for the reason given. I write it again, as it should be.",
    ),
    "seen": (
        "Now it can be seen clearly: {answer}.",
        "The closer view shows it: {answer}.",
        "With this detail the answer is plain: {answer}.",
    ),
    "at_once": (
        "What is shown is clear enough to answer directly: {answer}.",
        "No closer look is needed here; I can see that it is {answer}.",
        "Going over the whole, the answer can be read off: {answer}.",
    ),
}
"""Sentences in the manner of the paper's templates (arXiv 2505.15966, section 4)."""

BRIEF: Mapping[Occasion, Sequence[str]] = {
    "first_zoom": ("Let me look closer.",),
    "next_zoom": ("Let me look closer.",),
    "again_zoom": ("That is not it, I look again.",),
    "further_zoom": ("Closer still.",),
    "first_frames": ("Let me look closer.",),
    "again_frames": ("That is not it, I look again.",),
    "refused": ("Let me try again.",),
    "seen": ("I see {answer}.",),
    "at_once": ("I see {answer}.",),
}
"""One short sentence each, for a policy that is too small to write well."""

WORDINGS: Mapping[str, Mapping[Occasion, Sequence[str]]] = {"full": FULL, "brief": BRIEF}


def phrase(wording: str, occasion: Occasion, rng: np.random.Generator, **facts: str) -> str:
    """Draws one wording and fills it in.

    Args:
        wording: "full" or "brief".
        occasion: a key of `FULL`.
        rng: draws one number.
        **facts: `question`, `place`, `answer`, where the occasion's wordings name them.

    Raises:
        ConfigError: there is no such wording.

    Example:
        >>> phrase("brief", "seen", np.random.default_rng(0), answer="a red mug")
        'I see a red mug.'
    """
    if wording not in WORDINGS:
        raise unknown_name("wording", wording, WORDINGS)
    wordings = WORDINGS[wording][occasion]
    return wordings[int(rng.integers(len(wordings)))].format(**facts)


def place_of(box: Box) -> str:
    """Names the part of a view that a box is in.

    Example:
        >>> place_of((0.0, 0.1, 0.2, 0.3)), place_of((0.4, 0.4, 0.6, 0.6))
        ('upper left', 'middle')
    """
    column = ("left", "", "right")[_third((box[0] + box[2]) / 2)]
    row = ("upper", "", "lower")[_third((box[1] + box[3]) / 2)]
    return f"{row} {column}".strip() or "middle"


def _third(centre: float) -> int:
    return min(int(centre * 3), 2)
