"""The device that a model goes to: named, checked, or chosen."""

from __future__ import annotations

import torch

from pixel_env.errors import ConfigError

from .settings import AUTO


def checked_device(name: str) -> str:
    """Returns the name of a torch device that is there.

    Args:
        name: such as "cpu" or "cuda:0"; "auto" is a GPU where there is one, else the CPU.

    Raises:
        ConfigError: it is no torch device, or this machine has none of that kind.

    Example:
        >>> checked_device("cpu")
        'cpu'
    """
    if name == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError as fault:
        raise ConfigError(f"expected device to be a torch device, got {name!r}") from fault
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"expected a GPU for device {name!r}, torch finds none here; try 'cpu'")
    return name
