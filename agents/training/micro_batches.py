"""Cuts a batch into micro-batches that fit into memory, counted in tokens that are computed."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.errors import ConfigError

from ..model.packing import SharedRow
from ..tokens.trajectory import TokenTrajectory


def micro_batches(
    trajectories: Sequence[TokenTrajectory], max_tokens: int, packs: bool = True
) -> list[list[int]]:
    """Splits a batch so that no part takes more than a number of tokens.

    A part costs the tokens of its packed row, where what rollouts begin with counts once; or, for
    a model that can't read such a row, its longest trajectory times its count. Rollouts of one
    sample stand next to each other, so that what they share is computed once; beyond that, long
    ones stand with long ones. The split depends on nothing but the arguments.

    Args:
        trajectories: may be none.
        max_tokens: budget of one part, at least 1. A trajectory longer than that stands alone.
        packs: whether the model reads packed rows (`Backbone.packs`).

    Returns:
        Indices into `trajectories`, from 0, each exactly once; no part is empty.

    Raises:
        ConfigError: the budget is under 1.
    """
    if max_tokens < 1:
        raise ConfigError(f"expected max_tokens of at least 1, got {max_tokens}")
    parts: list[list[int]] = []
    row, longest = SharedRow(), 0
    for index in _order(trajectories):
        trajectory = trajectories[index]
        grown = max(longest, len(trajectory))
        padded = grown * (len(parts[-1]) + 1) if parts else 0
        cost = row.length + row.n_new(trajectory) if packs else padded
        if not parts or cost > max_tokens:
            parts.append([])
            row, grown = SharedRow(), len(trajectory)
        parts[-1].append(index)
        row.add(trajectory)
        longest = grown
    return parts


def _order(trajectories: Sequence[TokenTrajectory]) -> list[int]:
    """Sorts by length, longest first, with the rollouts of a sample side by side."""
    longest: dict[str, int] = {}
    first: dict[str, int] = {}
    for index, each in enumerate(trajectories):
        longest[each.sample_id] = max(longest.get(each.sample_id, 0), len(each))
        first.setdefault(each.sample_id, index)
    keys = [each.sample_id for each in trajectories]
    return sorted(
        range(len(keys)),
        key=lambda i: (-longest[keys[i]], first[keys[i]], -len(trajectories[i]), i),
    )
