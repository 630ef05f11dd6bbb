"""One optimizer step on gradients that every process has accumulated by itself."""

from __future__ import annotations

from typing import Any

import torch

from ..model.scoring import score
from ..tokens.encoder import Encoder
from .placement import ALONE, Placement
from .sharding import blank_trajectory


def take_step(
    model: Any,
    encoder: Encoder,
    optimizer: torch.optim.Optimizer,
    learning_rate: float,
    max_grad_norm: float,
    placement: Placement = ALONE,
) -> float:
    """Adds up gradients over the processes, clips them, steps, and forgets them.

    All processes must call it, also one that had nothing to learn from. How many backward passes
    each of them did before doesn't matter.

    Args:
        model: what is trained.
        encoder: of the model.
        optimizer: of the model's parameters.
        learning_rate: of this step.
        max_grad_norm: gradients are scaled down to this norm, over all parameters together.
        placement: where the model is trained.

    Returns:
        The norm of the gradient before clipping.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    placement.add_up_gradients(
        parameters, lambda: score(model, [blank_trajectory(encoder)], encoder).logprobs.sum()
    )
    norm: Any = torch.nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
