"""Rotary positions of text and pictures, from recorded spans instead of from token ids.

Qwen2.5-VL and Qwen3-VL number tokens along three axes (time, height, width). Text advances all
three by one a token; a picture's tokens share one moment and stand on a grid, after which the
text goes on at the picture's longer side. Left to itself, a model guesses these numbers from
the type of each token, and falls back to plain counting without a word where the types are
missing; so they are computed here, once, and always passed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..tokens.trajectory import EncodedImage

Positions = NDArray[np.int64]
"""(3, length) int64: time, height and width of each token."""


def rotary_positions(
    length: int,
    images: Sequence[EncodedImage] = (),
    image_starts: Sequence[int] = (),
    first: int = 0,
) -> tuple[Positions, int]:
    """Numbers the tokens of one stretch of context.

    Args:
        length: how many tokens it has.
        images: the pictures in it, in reading order.
        image_starts: index of each picture's first token in the stretch, from 0.
        first: number of its first token: the second result for what stands before it.

    Returns:
        The positions, (3, length) int64, and the number that the next token gets.

    Example:
        >>> import numpy as np
        >>> image = EncodedImage(np.zeros((16, 1), np.float32), grid=(1, 4, 4))
        >>> positions, after = rotary_positions(7, [image], [1])
        >>> positions.tolist()
        [[0, 1, 1, 1, 1, 3, 4], [0, 1, 1, 2, 2, 3, 4], [0, 1, 2, 1, 2, 3, 4]]
        >>> after
        5
    """
    positions = np.empty((3, length), np.int64)
    done, number = 0, first
    for image, start in zip(images, image_starts, strict=True):
        positions[:, done:start] = np.arange(number, number + start - done)
        number += start - done
        t, h, w = image.token_grid
        done = start + t * h * w
        positions[:, start:done] = np.indices((t, h, w)).reshape(3, -1) + number
        number += max(h, w)
    positions[:, done:] = np.arange(number, number + length - done)
    return positions, number + length - done
