"""A flat observation as one array of numbers in [0, 1]: what a plain network takes as it is.

The arrays of `FlatConfig.observation_space` stand in it one after the other, in that space's order.
Pictures are divided by 255 and each character id is one-hot, so that nothing has to be scaled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .spaces import N_CHARACTERS, FlatConfig, FlatObservation

OneArray = NDArray[np.float32]
"""An observation, (n,) float32 in [0, 1]; `slices` says which numbers are which."""


def slices(config: FlatConfig) -> dict[str, slice]:
    """Returns where each array of a flat observation is in the one array.

    Reshaped, `views` are (view_px, view_px, 3 * n_views) and `boxes` (n_views, 6); `question` is
    (question_chars, N_CHARACTERS) and `choices` (n_choices * choice_chars, N_CHARACTERS), a row for
    each character.

    >>> slices(FlatConfig(view_px=36, n_views=1, question_chars=2, vocabulary=("yes", "no")))
    {'boxes': slice(0, 6, None), 'counters': slice(6, 10, None), 'question': slice(10, 118, None), \
'views': slice(118, 4006, None)}
    """
    found, start = {}, 0
    for name, space in config.observation_space.items():
        size = spaces.flatdim(space)
        found[name] = slice(start, start + size)
        start += size
    return found


def array_space(config: FlatConfig) -> spaces.Box:
    """Returns the space of `as_one_array`."""
    size = spaces.flatdim(config.observation_space)
    return spaces.Box(0.0, 1.0, (size,), np.float32)


def as_one_array(places: Mapping[str, slice], observation: FlatObservation) -> OneArray:
    """Writes a flat observation as one array.

    Args:
        places: what `slices` returns, made once because it takes longer than this.
        observation: arrays by name.
    """
    array = np.zeros(max(place.stop for place in places.values()), np.float32)
    for name, place in places.items():
        part, values = array[place], observation[name]
        if values.dtype == np.uint8:
            np.divide(values.ravel(), np.float32(255), out=part)
        elif np.issubdtype(values.dtype, np.integer):
            part.reshape(-1, N_CHARACTERS)[np.arange(len(values)), values] = 1
        else:
            part[:] = values
    return array
