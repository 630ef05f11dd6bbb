"""How a model is loaded; no torch, so that a command line can read it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from pixel_env.errors import ConfigError, unknown_name

from ..settings.checks import check_least

TINY = "tiny"
"""Name of the model that ships with the package."""

DTYPE_NAMES = ("float32", "bfloat16", "float16")

AUTO = "auto"
"""The device that means a GPU where there is one, else the CPU."""

LOGITS_AT_ONCE = 2**27
"""Logits made at once (512 MiB); where there are more, they are remade in the backward pass."""

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Low-rank adapters on the language model (Hu et al., arXiv 2106.09685)."""

    rank: int = 0
    """Rank of an adapter; 0 trains the weights themselves."""
    alpha: float | None = None
    """An adapter's output is scaled by alpha / rank; null: alpha is twice the rank."""
    dropout: float = 0.0
    """Share of an adapter's inputs dropped in training, in [0, 1). Over 0, log-probabilities in
    training differ from those recorded while generating."""
    projections: tuple[str, ...] = PROJECTIONS
    """Names of the language model's linear layers that get one."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or a projection unknown.
        """
        check_least(self, {"rank": 0})
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"expected dropout in [0, 1), got {self.dropout}")
        for projection in self.projections:
            if projection not in PROJECTIONS:
                raise unknown_name("projections", projection, PROJECTIONS)

    @property
    def scale(self) -> float:
        """Alpha, as a number."""
        return 2.0 * self.rank if self.alpha is None else self.alpha


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is loaded."""

    dtype: str = "float32"
    """Of the weights: "float32", "bfloat16" or "float16"."""
    device: str = "cpu"
    """A torch device, such as "cpu" or "cuda:0"; "auto": a GPU where there is one."""
    attention: str = "sdpa"
    """Transformers' attention: "sdpa", "eager", or "flash_attention_2" (with flash-attn)."""
    gradient_checkpointing: bool = False
    """Whether layers are computed again in the backward pass, to save memory."""
    lora: LoraSettings = field(default_factory=LoraSettings)
    """Adapters that are trained instead of the weights."""

    def __post_init__(self) -> None:
        """Checks the dtype.

        Raises:
            ConfigError: the dtype is not known.
        """
        if self.dtype not in DTYPE_NAMES:
            raise unknown_name("dtype", self.dtype, DTYPE_NAMES)
