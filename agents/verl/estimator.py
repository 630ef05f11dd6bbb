"""verl's estimator `pixel_reason`: reward minus the mean of the group, as the paper trains.

Name this module in `actor_rollout_ref.model.external_lib`, so that verl imports it, and set
`algorithm.adv_estimator=pixel_reason`. The rewards hold the curiosity bonus already
(`groups.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from verl.trainer.ppo.core_algos import register_adv_est

from .advantages import advantages_by_uid


@register_adv_est("pixel_reason")  # type: ignore[untyped-decorator]  # verl isn't installed here
def pixel_reason_advantage(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: Any,
    config: Mapping[str, Any] | None = None,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns advantages and returns, which are the same.

    Args:
        token_level_rewards: (batch, length), a rollout's whole reward on its last token.
        response_mask: (batch, length), 1 on the policy's tokens; the rows without one are
            those that verl fills a batch up with.
        index: (batch,) uids of the groups.
        config: verl's `algorithm` section; `norm_adv_by_std_in_grpo` divides by the standard
            deviation, which the paper doesn't.
        **_: what other estimators need.

    Raises:
        ConfigError: a reward isn't finite.
    """
    by_std = config is None or bool(config.get("norm_adv_by_std_in_grpo", True))
    rewards = token_level_rewards.sum(dim=-1)  # (batch,)
    counted = response_mask.any(dim=-1)
    values = advantages_by_uid(
        rewards.detach().cpu().double().numpy(),
        np.asarray(index, dtype=object).tolist(),
        counted.cpu().numpy(),
        "mean_std" if by_std else "mean",
    )
    advantages = torch.from_numpy(values).to(token_level_rewards)[:, None] * response_mask
    return advantages, advantages
