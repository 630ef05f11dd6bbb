"""What Gymnasium's functions do with the spaces that it lacks.

Gymnasium's wrappers and vector environments reach every space through functions that are registered
by its class. An element here has no array of one length: like a `Graph` of Gymnasium's, it stays
what it is where a `Dict` around it is flattened.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space
from gymnasium.spaces.utils import (
    flatdim,
    flatten,
    flatten_space,
    is_space_dtype_shape_equiv,
    unflatten,
)
from gymnasium.vector.utils import batch_differing_spaces, create_empty_array
from gymnasium.wrappers.utils import create_zero_array

from .pictures import RGBImage
from .texts import Choice, UnicodeText
from .token_ids import TokenIds


def empty_text(space: UnicodeText) -> str:
    """Returns the empty text."""
    return ""


def first_value(space: Choice) -> Any:
    """Returns the first of the values."""
    return space.values[0]


def no_ids(space: TokenIds) -> Any:
    """Returns the empty sequence, (0,) int64."""
    return np.zeros(0, dtype=np.int64)


def black_picture(space: RGBImage) -> Any:
    """Returns the smallest picture, all black, (multiple, multiple, 3) uint8."""
    return np.zeros((space.multiple, space.multiple, 3), dtype=np.uint8)


ZEROS: dict[type[Space[Any]], Callable[[Any], Any]] = {
    UnicodeText: empty_text,
    Choice: first_value,
    TokenIds: no_ids,
    RGBImage: black_picture,
}
"""The element of each space that stands for nothing."""


def several_zeros(space: Space[Any], n: int = 1, fn: Any = np.zeros) -> tuple[Any, ...]:
    """Returns n elements that stand for nothing, as `create_empty_array` does for `Text`."""
    return tuple(ZEROS[type(space)](space) for _ in range(n))


def no_length(space: Space[Any]) -> NoReturn:
    """Refuses to count the numbers of an element.

    Raises:
        ValueError: always, as for a `Graph` or a `Sequence`.
    """
    raise ValueError(
        f"{space} has no flat array of one length; the ids PixelReason-...-Flat-v0 have flat spaces"
    )


def as_it_is(space: Space[Any], x: Any) -> Any:
    """Returns an element as it is."""
    return x


def same_space(space: Space[Any]) -> Any:
    """Returns the space itself."""
    return space


def same_kind(space: Space[Any], other: Space[Any]) -> bool:
    """Tells whether elements of both spaces can be batched together."""
    return type(space) is type(other)


def side_by_side(differing: Sequence[Space[Any]]) -> spaces.Tuple[Any]:
    """Returns the space of one element of each."""
    own = tuple(copy.deepcopy(space) for space in differing)
    return spaces.Tuple(own, seed=copy.deepcopy(differing[0].np_random))


for _space, _zero in ZEROS.items():
    create_zero_array.register(_space, _zero)
    create_empty_array.register(_space, several_zeros)
    flatdim.register(_space, no_length)
    flatten.register(_space, as_it_is)
    unflatten.register(_space, as_it_is)
    flatten_space.register(_space, same_space)
    is_space_dtype_shape_equiv.register(_space, same_kind)
    batch_differing_spaces.register(_space, side_by_side)
