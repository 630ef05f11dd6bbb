"""What lanes are given: one value for each of them, a mask, and what an ended one does."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..errors import ConfigError, unknown_name


def checked_mode(mode: object) -> AutoresetMode:
    """Returns the mode that is meant.

    Args:
        mode: an `AutoresetMode`, or its value.

    Raises:
        ConfigError: there is no such mode.

    >>> checked_mode("SameStep") is AutoresetMode.SAME_STEP
    True
    """
    if isinstance(mode, AutoresetMode):
        return mode
    modes = {each.value: each for each in AutoresetMode}
    if not isinstance(mode, str) or mode not in modes:
        raise unknown_name("autoreset_mode", mode, modes)
    return modes[mode]


def check_waits(env: VectorEnv[Any, Any, Any]) -> None:
    """Refuses lanes that reset themselves, for what goes on until the last of a group has ended.

    Args:
        env: the lanes.

    Raises:
        ConfigError: autoreset isn't disabled.
    """
    mode = env.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.DISABLED:
        raise ConfigError(
            "expected lanes that wait for their group, made with autoreset_mode='Disabled'; got "
            f"lanes that reset themselves ({getattr(mode, 'value', mode)})"
        )


def for_lanes(n_lanes: int, name: str, values: Any, counts_up: bool = False) -> list[Any]:
    """Spreads an argument over the lanes.

    Args:
        n_lanes: how many lanes.
        name: of the argument.
        values: one for each lane, or one for all.
        counts_up: whether one number n stands for n + i in lane i.

    Raises:
        ConfigError: there are not as many values as lanes.
    """
    if values is None or isinstance(values, str):
        return [values] * n_lanes
    if isinstance(values, int | np.integer):
        return [int(values) + int(counts_up) * lane for lane in range(n_lanes)]
    if len(values) != n_lanes:
        raise ConfigError(
            f"expected {name} to have {n_lanes} entries, one a lane, got {len(values)}"
        )
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def checked_mask(mask: Any, started: list[bool]) -> NDArray[np.bool_]:
    """Checks the mask of lanes to reset; all lanes without one.

    Args:
        mask: (lanes,) bool, or None.
        started: for each lane, whether it was ever reset.

    Raises:
        ConfigError: it is no such mask, or leaves out a lane that was never reset.
    """
    n_lanes = len(started)
    if mask is None:
        return np.ones(n_lanes, dtype=np.bool_)
    checked = np.asarray(mask)
    if checked.dtype != np.bool_ or checked.shape != (n_lanes,):
        raise ConfigError(
            f"expected reset_mask of shape ({n_lanes},) and dtype bool, "
            f"got {checked.shape} and {checked.dtype}"
        )
    for lane, was_reset in enumerate(started):
        if not was_reset and not checked[lane]:
            raise ConfigError(f"expected reset_mask to hold lane {lane}: it was never reset")
    return checked
