"""The dialects by name."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import unknown_name
from .deepeyes import DeepEyesDialect
from .grammar.dialect import Dialect
from .mini_o3 import MiniO3Dialect
from .openai import OpenAIDialect
from .pixel_reasoner import PixelReasonerDialect
from .pixel_reasoner_pixels import PixelReasonerPixelsDialect
from .qwen3_vl import Qwen3VLDialect
from .qwen_xml import QwenXMLDialect

DIALECTS: Mapping[str, type[Dialect]] = {
    PixelReasonerDialect.name: PixelReasonerDialect,
    PixelReasonerPixelsDialect.name: PixelReasonerPixelsDialect,
    DeepEyesDialect.name: DeepEyesDialect,
    MiniO3Dialect.name: MiniO3Dialect,
    Qwen3VLDialect.name: Qwen3VLDialect,
    QwenXMLDialect.name: QwenXMLDialect,
    OpenAIDialect.name: OpenAIDialect,
}
"""Every dialect under its name in configuration."""


def get_dialect(dialect: str | Dialect) -> Dialect:
    """Returns the dialect of a name, or the given one as it is.

    Raises:
        ConfigError: no dialect has that name.

    >>> get_dialect("pixel-reasoner").name
    'pixel-reasoner'
    """
    if isinstance(dialect, Dialect):
        return dialect
    if dialect not in DIALECTS:
        raise unknown_name("dialect", dialect, DIALECTS)
    return DIALECTS[dialect]()
