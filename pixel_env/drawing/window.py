"""A window on the screen that shows pictures as they come; pygame draws it, as in Gymnasium."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from typing import Any

from ..errors import ConfigError
from ..media.rgb import Image

TITLE = "Pixel Reason"

logger = logging.getLogger(__name__)


def can_be_shown() -> bool:
    """Tells whether pygame is installed."""
    return importlib.util.find_spec("pygame") is not None


class Window:
    """A window for pictures of any size. It opens with the first one.

    Copies have a window of their own; what a window shows is not copied.
    """

    def __init__(self) -> None:
        """Looks for pygame and for a screen, and logs a warning where SDL draws into nothing.

        Raises:
            ConfigError: pygame isn't installed, or can't draw at all.
        """
        try:
            self._pygame: Any = importlib.import_module("pygame")
        except ImportError:
            raise ConfigError(
                "render_mode='human' needs pygame: pip install 'pixel-reason[human]'; "
                "'rgb_array' needs nothing"
            ) from None
        try:
            self._pygame.display.init()
            driver = self._pygame.display.get_driver()
        except self._pygame.error as fault:
            raise ConfigError(
                f"render_mode='human' needs a screen ({fault}); 'rgb_array' draws the same pictures"
            ) from None
        if driver == "offscreen" and not os.environ.get("SDL_VIDEODRIVER"):
            logger.warning(
                "render_mode='human' shows nothing: no screen was found; 'rgb_array' draws the "
                "same pictures"
            )
        self._surface: Any = None

    def __reduce__(self) -> tuple[type[Window], tuple[()]]:
        return Window, ()

    def show(self, picture: Image) -> None:
        """Shows a picture.

        Args:
            picture: (H, W, 3) uint8 RGB.
        """
        size = (picture.shape[1], picture.shape[0])
        if self._surface is None or self._surface.get_size() != size:
            self._surface = self._pygame.display.set_mode(size)
            self._pygame.display.set_caption(TITLE)
        drawn = self._pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        self._surface.blit(drawn, (0, 0))
        self._pygame.event.pump()  # a window that answers no event is taken for a dead one
        self._pygame.display.flip()

    def close(self) -> None:
        """Closes the window; a second call does nothing."""
        if self._surface is not None:
            self._surface = None
            self._pygame.display.quit()
