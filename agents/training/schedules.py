"""How the learning rate changes over a training, as a pure function of the step."""

from __future__ import annotations

import math


def learning_rate_at(step: int, n_steps: int, peak: float, warmup_share: float = 0.03) -> float:
    """Returns the learning rate of a step: a linear warm-up, then half a cosine down to 0.

    Args:
        step: from 0 to `n_steps` - 1.
        n_steps: steps of the whole training, at least 1.
        peak: the highest rate, reached by the last step of the warm-up.
        warmup_share: share of the steps that warm up, in [0, 1].

    Example:
        >>> [round(learning_rate_at(step, 6, 1.0, 0.3), 2) for step in range(6)]
        [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]
    """
    n_warmup = math.ceil(warmup_share * n_steps)
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    done = (step - n_warmup) / (n_steps - n_warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * done))
