"""The state of random generators as JSON and tensors, and back."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from pixel_env.errors import ConfigError
from pixel_env.files.json_values import plain

Generator = np.random.Generator | torch.Generator | random.Random
"""A random generator that a trainer draws from."""


def random_states(
    generators: Mapping[str, Generator],
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Reads the states of given generators, and of Python's, numpy's and torch's own.

    Returns:
        What is written as JSON, and what is written as tensors, (n,) uint8 each.
    """
    numbers: dict[str, Any] = {
        "python": plain(random.getstate(), "random state"),
        "numpy": plain(np.random.get_state(), "random state"),
        "given": {},
    }
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        for number, state in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"cuda.{number}"] = state
    for name, generator in generators.items():
        if isinstance(generator, torch.Generator):
            tensors[f"given.{name}"] = generator.get_state()
        elif isinstance(generator, np.random.Generator):
            numbers["given"][name] = plain(generator.bit_generator.state, name)
        else:
            numbers["given"][name] = plain(generator.getstate(), name)
    return numbers, tensors


def restore_random_states(
    numbers: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
    generators: Mapping[str, Generator],
) -> None:
    """Puts back what `random_states` read; as many GPUs as there are get theirs.

    Raises:
        ConfigError: a generator was not saved.
    """
    random.setstate(_python_state(numbers["python"]))
    np.random.set_state(tuple(numbers["numpy"]))
    torch.set_rng_state(tensors["torch"])
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"cuda.{number}" in tensors:
            torch.cuda.set_rng_state(tensors[f"cuda.{number}"], number)
    for name, generator in generators.items():
        saved = tensors if isinstance(generator, torch.Generator) else numbers["given"]
        key = f"given.{name}" if isinstance(generator, torch.Generator) else name
        if key not in saved:
            raise ConfigError(f"the checkpoint holds no state of the generator {name!r}")
        if isinstance(generator, torch.Generator):
            generator.set_state(tensors[key])
        elif isinstance(generator, np.random.Generator):
            generator.bit_generator.state = _numpy_state(saved[key])
        else:
            generator.setstate(_python_state(saved[key]))


def _python_state(stored: Any) -> Any:
    version, internal, gauss = stored
    return version, tuple(internal), gauss


def _numpy_state(stored: Any) -> Any:
    """Makes arrays of the lists in the state of a bit generator (MT19937, Philox, SFC64)."""
    if isinstance(stored, dict):
        return {key: _numpy_state(value) for key, value in stored.items()}
    return np.array(stored, np.uint64) if isinstance(stored, list) else stored
