"""The settings of engines; no torch, so that a command line can read them at once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from pixel_env.errors import ConfigError

from ..settings.checks import check_least

OWN = "own"
"""The trained model itself generates."""

VLLM = "vllm"
"""vLLM generates, in the same process, with the trained model's weights."""

ENGINES = (OWN, VLLM)

MISSING = (
    "engine vllm needs vllm, of the extra vllm: pip install 'pixel-reason[vllm]' in an environment "
    "of its own (docs/engines.md)"
)


def check_installed(engine: str) -> None:
    """Makes sure that an engine is installed, without importing it.

    Raises:
        ConfigError: it isn't; the message names the extra.
    """
    if engine == VLLM and find_spec(VLLM) is None:
        raise ConfigError(MISSING)


@dataclass(frozen=True, slots=True)
class VllmSettings:
    """How vLLM runs where it samples."""

    memory_share: float = 0.4
    """On a GPU, share of its memory for vLLM's weights and cache, in (0, 1]."""
    cache_gib: float = 0.0
    """Size of vLLM's cache of keys and values, in GiB; 0: what memory-share leaves on a GPU, 1 GiB
    on a CPU."""
    pictures: int = 32
    """Most pictures in one conversation."""
    eager: bool = False
    """Whether vLLM runs without compiled graphs: it starts sooner, and samples slower on a GPU."""
    sleeps: bool = True
    """Whether vLLM gives its GPU memory back while the policy is updated."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        check_least(self, {"pictures": 1, "cache_gib": 0})
        if not 0 < self.memory_share <= 1:
            raise ConfigError(f"expected memory_share in (0, 1], got {self.memory_share}")
