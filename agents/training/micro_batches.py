"""Cuts a batch into micro-batches that fit into memory, counted in padded tokens."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pixel_env.errors import ConfigError


def micro_batches(
    lengths: Sequence[int],
    max_tokens: int,
    together: Sequence[Hashable] | None = None,
) -> list[list[int]]:
    """Splits a batch so that no part takes more than a number of padded tokens.

    A part costs its longest trajectory times its count. Long ones stand with long ones, so that
    little is padded; the split depends on nothing but the arguments.

    Args:
        lengths: tokens of each trajectory.
        max_tokens: budget of one part, at least 1. A trajectory longer than that stands alone.
        together: a key for each trajectory; those with one key stand next to each other, so that
            most of them land in one part and what they share (a group's picture) is encoded once.

    Returns:
        Indices into `lengths`, from 0, each exactly once; no part is empty.

    Raises:
        ConfigError: the budget is under 1, or `together` has another length.

    Example:
        >>> micro_batches([5, 2, 3, 2], max_tokens=6)
        [[0], [2, 1], [3]]
        >>> micro_batches([5, 2, 3, 2], max_tokens=10, together=["a", "b", "b", "a"])
        [[0, 3], [2, 1]]
    """
    if max_tokens < 1:
        raise ConfigError(f"expected max_tokens of at least 1, got {max_tokens}")
    keys: Sequence[Hashable] = range(len(lengths)) if together is None else together
    if len(keys) != len(lengths):
        raise ConfigError(f"expected {len(lengths)} keys in together, got {len(keys)}")
    parts: list[list[int]] = []
    longest = 0
    for index in _order(lengths, keys):
        grown = max(longest, lengths[index])
        if parts and grown * (len(parts[-1]) + 1) <= max_tokens:
            parts[-1].append(index)
            longest = grown
        else:
            parts.append([index])
            longest = lengths[index]
    return parts


def _order(lengths: Sequence[int], keys: Sequence[Hashable]) -> list[int]:
    """Sorts by length, longest first, with the members of one key side by side."""
    longest: dict[Hashable, int] = {}
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        longest[key] = max(longest.get(key, 0), lengths[index])
        first.setdefault(key, index)
    return sorted(
        range(len(lengths)),
        key=lambda i: (-longest[keys[i]], first[keys[i]], -lengths[i], i),
    )
