"""Light that tells place and time: what a small network can't work out from positions alone.

A scene is lit from its right and its lower edge (red grows with x, blue grows with y), so that
every patch of it shows roughly where it lies, as sky and ground do in a photograph. A clip that is
lit goes from evening blue to red, so that every frame shows roughly when it is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_LEAST, _SPAN, _GREEN = 40, 150, 90


@lru_cache(maxsize=8)
def lit_ground(side_px: int) -> NDArray[np.uint8]:
    """Returns a square ground, (side, side, 3) uint8; it must not be written to."""
    ramp = np.linspace(0.0, 1.0, side_px)
    ground = np.empty((side_px, side_px, 3))
    ground[..., 0] = _LEAST + _SPAN * ramp[None, :]
    ground[..., 1] = _GREEN
    ground[..., 2] = _LEAST + _SPAN * ramp[:, None]
    return ground.astype(np.uint8)


def light_at(share: float) -> tuple[int, int, int]:
    """Returns the colour of a lit clip's ground.

    Args:
        share: of the clip that has gone by, in [0, 1].

    >>> light_at(0.0), light_at(1.0)
    ((40, 90, 190), (190, 90, 40))
    """
    risen = round(_SPAN * share)
    return _LEAST + risen, _GREEN, _LEAST + _SPAN - risen
