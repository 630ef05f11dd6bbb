"""The pictures that chat messages show, and whether an engine's tokens are of them as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError


def pictures_of(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Returns the pictures of messages, in reading order, in the form that they have there.

    >>> pictures_of([{"content": "Look."}, {"content": [{"type": "image", "image": "one"}]}])
    ['one']
    """
    contents = [each["content"] for each in messages]
    parts = [part for each in contents if not isinstance(each, str) for part in each]
    return [part["image"] for part in parts if part["type"] == "image"]


def check_image_tokens(sizes: Sequence[tuple[int, int]], side: int, n_tokens: int) -> None:
    """Checks that each picture takes the tokens of its own size.

    Args:
        sizes: (width, height) of each picture as it was shown, in pixels.
        side: of the square that an image token stands for, in pixels.
        n_tokens: image tokens of all pictures.

    Raises:
        ConfigError: a picture doesn't: boxes that a policy writes would be of another one.
    """
    expected = sum((width // side) * (height // side) for width, height in sizes)
    if n_tokens != expected or any(length % side for size in sizes for length in size):
        raise ConfigError(
            f"expected {expected} image tokens of {side} x {side} px for the pictures as they "
            f"were shown, got {n_tokens}: the processor resized one; make the rows with --env-arg "
            f"side_multiple={side}, and see that the processor's limits of size hold them"
        )
