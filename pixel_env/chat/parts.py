"""An observation as the parts of a chat message: text, and pictures in a form that clients take.

Every engine that is asked by messages (an HTTP server, TRL, verl, OpenEnv) shows a policy what its
dialect's `tell` gives, in that order. Only the form of a picture differs, so it is a parameter.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image as PillowImage

from ..dialects.grammar.dialect import Dialect, Part
from ..errors import ConfigError, unknown_name
from ..media.rgb import Image
from ..types import Observation

ChatPart = dict[str, Any]
"""One part of a message's content, such as `{"type": "text", "text": "..."}`."""

AsPicture = Callable[[Image], ChatPart]
"""Makes the part of a picture, (height, width, 3) uint8 RGB."""

FORMATS = {"png": "PNG", "jpeg": "JPEG"}
"""Encodings of pictures, by the name in their media type."""

DETAILS = ("auto", "low", "high")
"""How finely a server of the OpenAI API may look at a picture; most other servers ignore it."""


@dataclass(frozen=True, slots=True)
class AsPillow:
    """Pictures as Pillow's own, in the form of transformers' chat templates and of TRL."""

    def __call__(self, image: Image) -> ChatPart:
        """Makes `{"type": "image", "image": PIL.Image}`; it shares no memory with `image`."""
        return {"type": "image", "image": PillowImage.fromarray(image.copy())}


@dataclass(frozen=True, slots=True)
class AsArray:
    """Pictures as they are, (height, width, 3) uint8 RGB."""

    def __call__(self, image: Image) -> ChatPart:
        """Makes `{"type": "image", "image": array}`."""
        return {"type": "image", "image": image}


@dataclass(frozen=True, slots=True)
class AsDataURL:
    """Pictures as `image_url` parts that hold the encoded picture, as chat servers take them.

    >>> import numpy as np
    >>> part = AsDataURL("jpeg", quality=80, detail="high")(np.zeros((2, 2, 3), np.uint8))
    >>> part["type"], part["image_url"]["url"][:23], part["image_url"]["detail"]
    ('image_url', 'data:image/jpeg;base64,', 'high')
    """

    encoding: str = "png"
    """"png", which keeps every pixel, or "jpeg"."""
    quality: int = 90
    """Of a JPEG, 1 to 100."""
    detail: str | None = None
    """"auto", "low" or "high", sent along with each picture; None sends nothing."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is none of those.
        """
        if self.encoding not in FORMATS:
            raise unknown_name("encoding", self.encoding, FORMATS)
        if not 1 <= self.quality <= 100:
            raise ConfigError(f"expected quality from 1 to 100, got {self.quality}")
        if self.detail is not None and self.detail not in DETAILS:
            raise unknown_name("detail", self.detail, DETAILS)

    def __call__(self, image: Image) -> ChatPart:
        """Makes `{"type": "image_url", "image_url": {"url": "data:...", "detail": ...}}`."""
        url = f"data:image/{self.encoding};base64,{encoded(image, self.encoding, self.quality)}"
        detail = {} if self.detail is None else {"detail": self.detail}
        return {"type": "image_url", "image_url": {"url": url, **detail}}


def encoded(image: Image, encoding: str = "png", quality: int = 90) -> str:
    """Returns a picture as the base64 text of a PNG or JPEG file.

    Args:
        image: (height, width, 3) uint8 RGB.
        encoding: "png" or "jpeg".
        quality: of a JPEG, 1 to 100.
    """
    file = io.BytesIO()
    PillowImage.fromarray(image).save(file, FORMATS[encoding], quality=quality)
    return base64.b64encode(file.getvalue()).decode("ascii")


def message_parts(dialect: Dialect, observation: Observation, picture: AsPicture) -> list[ChatPart]:
    """Returns what a dialect tells of an observation, in reading order.

    >>> import gymnasium as gym, pixel_env
    >>> from pixel_env.dialects import get_dialect
    >>> env = gym.make("PixelReason-SyntheticSearch-v0")
    >>> observation, _ = env.reset(seed=1)
    >>> parts = message_parts(get_dialect("pixel-reasoner"), observation, AsPillow())
    >>> [part["type"] for part in parts]
    ['image', 'text']
    """
    return [as_chat_part(part, picture) for part in dialect.tell(observation)]


def as_chat_part(part: Part, picture: AsPicture) -> ChatPart:
    """Returns one piece of what a dialect tells as a part of a message."""
    return {"type": "text", "text": part} if isinstance(part, str) else picture(part)
