"""Do log-probabilities recorded while generating agree with one forward pass over the whole?

Both compute the same function in another order: token by token behind a cache, or all at once. In
exact arithmetic they are equal; here they differ by rounding, and how much is allowed is derived
from the number format and the model's depth, not fitted to what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..model.scoring import score
from ..model.shapes import ModelShape
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from .random_model import INITIAL_STD

ROUNDINGS = 4
"""Roundings a layer that reach the residual stream whole: two sums, and what each of them adds."""

FLOAT32_LARGEST = 1e-4
"""The largest difference that is allowed in float32."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """How far apart log-probabilities may be, in nats.

    Attributes:
        mean: of the mean |difference|.
        largest: of the largest |difference|.
    """

    mean: float
    largest: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far apart recorded and recomputed log-probabilities are, in nats.

    Attributes:
        n_tokens: how many sampled tokens were compared.
        mean: mean |difference|.
        largest: largest |difference|.
        blank: the mean |difference| where the pass is shown blank pictures: what a mistake costs.
        allowed: the bounds.
    """

    n_tokens: int
    mean: float
    largest: float
    blank: float
    allowed: Allowed

    @property
    def holds(self) -> bool:
        """Whether both differences are within their bounds; NaN isn't."""
        return self.mean <= self.allowed.mean and self.largest <= self.allowed.largest


def allowed(shape: ModelShape, dtype: str, n_tokens: int) -> Allowed:
    """Derives the bounds for a model with random weights.

    A rounding to u = eps / 2 has a relative error of standard deviation u / sqrt(3) at most.
    `ROUNDINGS` of them a layer, through D layers of both towers, add up to u * sqrt(R * D / 3), for
    they are independent; the same in the other computation, which gives sqrt(2) of it. The last
    norm brings states to length sqrt(hidden), so that logits have the standard deviation
    s = 0.02 * sqrt(hidden), and this relative error on them. A log-probability differs by

        sigma = s * u * sqrt(2 * R * D / 3).

    Normal errors have a mean |.| of sqrt(2 / pi) * sigma, and the largest of n stays under
    sqrt(2 * ln(2 * n)) * sigma in most runs. Both are doubled, for errors of one sign and for what
    kernels sum in the number format itself.

    In float32 `FLOAT32_LARGEST` is the bound of both, as in the tests of generation.

    Args:
        shape: of the model.
        dtype: what it computes in.
        n_tokens: how many tokens are compared.
    """
    if dtype == "float32":
        return Allowed(FLOAT32_LARGEST, FLOAT32_LARGEST)
    unit = torch.finfo(getattr(torch, dtype)).eps / 2
    depth = shape.layers + shape.vision_depth
    spread = INITIAL_STD * math.sqrt(shape.hidden)
    sigma = spread * unit * math.sqrt(2 * ROUNDINGS * depth / 3)
    return Allowed(
        2 * math.sqrt(2 / math.pi) * sigma, 2 * math.sqrt(2 * math.log(2 * n_tokens)) * sigma
    )


def compare(
    model: Any,
    trajectories: Sequence[TokenTrajectory],
    encoder: Encoder,
    shape: ModelShape,
    dtype: str,
) -> Agreement:
    """Scores every rollout alone, in one pass over all of it, and compares.

    Args:
        model: the one that generated them, not trained since, at temperature 1.
        trajectories: at least one with a sampled token.
        encoder: of the model.
        shape: of the model.
        dtype: what it computes in.
    """
    gaps = np.concatenate([_gaps(model, each, encoder) for each in trajectories])
    blank = np.concatenate([_gaps(model, _blank(each), encoder) for each in trajectories[:2]])
    return Agreement(
        n_tokens=len(gaps),
        mean=float(gaps.mean()),
        largest=float(gaps.max()),
        blank=float(blank.mean()),
        allowed=allowed(shape, dtype, len(gaps)),
    )


@torch.no_grad()
def _gaps(model: Any, trajectory: TokenTrajectory, encoder: Encoder) -> NDArray[np.float32]:
    """Returns |recorded - recomputed| of the sampled tokens, (n,) float32."""
    model.eval()
    scored = score(model, [trajectory], encoder).logprobs[0].float().cpu().numpy()
    gaps: NDArray[np.float32] = np.abs(scored - trajectory.logprobs)[trajectory.trainable]
    return gaps


def _blank(trajectory: TokenTrajectory) -> TokenTrajectory:
    """Returns a rollout with all of its pictures blank."""
    images = [replace(each, patches=np.zeros_like(each.patches)) for each in trajectory.images]
    return replace(trajectory, images=tuple(images))
