"""Calls that an environment refuses, for demonstrations of how to go on after one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pixel_env.actions import select_frames, zoom_in
from pixel_env.dialects.grammar.dialect import Dialect, Shown
from pixel_env.errors import ConfigError
from pixel_env.media.geometry import Box

KINDS = ("retry", "retry_frames")
"""Kinds of demonstration whose first message is refused."""

Writer = Callable[[str, Dialect, Shown], str]
"""Takes the text before a call, the dialect and what has been shown; gives a message."""


def refused_zoom(box: Box, number: int, rng: np.random.Generator) -> Writer:
    """Draws a mistake in a zoom: edges that are swapped, a view that isn't there, a broken call.

    Args:
        box: what the right zoom shows.
        number: the view that it zooms into, from 1.
        rng: draws the mistake.

    Returns:
        What writes the message.
    """
    x1, y1, x2, y2 = box
    swapped = zoom_in((x2, y1, x1, y2), number)
    actions = (swapped, zoom_in(box, number + int(rng.integers(2, 6))))
    mistake = int(rng.integers(len(actions) + 1))
    if mistake == len(actions):
        return lambda text, dialect, shown: _broken(
            dialect.compose(text, zoom_in(box, number), shown)
        )
    return lambda text, dialect, shown: dialect.compose(text, actions[mistake], shown)


def refused_selection(frames: list[int], n_frames: int, rng: np.random.Generator) -> Writer:
    """Draws a mistake in a selection: a frame that wasn't sampled, or a broken call.

    Args:
        frames: the right ones, from 1.
        n_frames: how many were sampled.
        rng: draws the mistake.

    Returns:
        What writes the message.
    """
    right = select_frames(frames, n_frames)
    beyond = select_frames([*frames[:-1], n_frames + int(rng.integers(1, 9))], n_frames)
    if rng.random() < 0.5:
        return lambda text, dialect, shown: _broken(dialect.compose(text, right, shown))
    return lambda text, dialect, shown: dialect.compose(text, beyond, shown)


def _broken(message: str) -> str:
    """Leaves out the last closing bracket of a call.

    Raises:
        ConfigError: there is none; the dialect writes calls in another way.
    """
    place = max(message.rfind(bracket) for bracket in "})]")
    if place < 0:
        raise ConfigError(f"expected a call with a closing bracket, got {message!r}")
    return message[:place] + message[place + 1 :]


def is_refused(kind: str, turn: int) -> bool:
    """Tells whether the message of a turn, from 0, is refused in demonstrations of a kind."""
    return kind in KINDS and turn == 0
