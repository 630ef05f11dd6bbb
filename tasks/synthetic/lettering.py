"""Smooth text, the same on every machine: the font that Pillow itself brings."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont, features

from pixel_env.errors import ConfigError


@lru_cache(maxsize=64)
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """Returns Pillow's own font (Aileron), without the shaping of a system library.

    Args:
        size_px: height of a line in pixels; capitals have 0.7 of it.

    Raises:
        ConfigError: this Pillow can't draw it.
    """
    if not features.check("freetype2"):
        raise ConfigError("expected a Pillow with FreeType, as all its wheels are; it has none")
    found = ImageFont.load_default(size_px)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise ConfigError(f"expected Pillow's scalable font, got {type(found).__name__}")
    return found


def width_of(text: str, size_px: int) -> float:
    """Returns how wide a line of text is, in pixels."""
    return font(size_px).getlength(text)


def fitting_size(text: str, largest_px: int, width: float) -> int:
    """Returns the largest size up to `largest_px` at which a line is at most `width` wide."""
    natural = width_of(text, largest_px)
    return largest_px if natural <= width else max(int(largest_px * width / natural), 1)
