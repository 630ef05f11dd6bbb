"""Orders without lists: endless shuffled passes over any number of samples, and option orders."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from .types import Sample

_ROUNDS = 4
_MASK = (1 << 64) - 1


def shuffled_index(position: int, length: int, key: int) -> int:
    """Returns the index at a position of an endless shuffled order.

    Every run of `length` positions from a multiple of `length` visits every index once; each such
    pass is shuffled anew. Costs no memory: a Feistel network permutes the positions.

    Args:
        position: from 0.
        length: how many indices there are, at least 1.
        key: any number that fixes the order.

    >>> sorted(shuffled_index(position, 5, key=3) for position in range(5, 10))
    [0, 1, 2, 3, 4]
    """
    epoch, place = divmod(position, length)
    half = max(1, ((length - 1).bit_length() + 1) // 2)
    pass_key = _mixed(key ^ _mixed(epoch))
    place = _permuted(place, half, pass_key)
    # The network permutes a power of 4, up to 4 times too many places. One outside is permuted on
    # until it comes inside: a walk along the cycle that it is in, so no index comes twice.
    while place >= length:
        place = _permuted(place, half, pass_key)
    return place


def _permuted(place: int, half: int, key: int) -> int:
    """Permutes [0, 4**half) by a balanced Feistel network."""
    # Each round mixes one half into the other, which `^` undoes: a permutation whatever the mixing
    # does. Four rounds are where a Feistel network starts to pass for a random permutation.
    mask = (1 << half) - 1
    left, right = place >> half, place & mask
    for turn in range(_ROUNDS):
        left, right = right, left ^ (_mixed(key + (turn << 56) + right) & mask)
    return (left << half) | right


def _mixed(value: int) -> int:
    """Mixes 64 bits (the finaliser of SplitMix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def with_shuffled_options(sample: Sample, key: str = "") -> Sample:
    """Returns the sample with its options in an order that its id and a key fix for all time.

    The right option stays the right one: `right_choice` moves with it.

    Args:
        sample: as its task gives it.
        key: hidden from the policy, which therefore can't work the order out from the id.
    """
    order = sorted(
        range(len(sample.choices)),
        key=lambda index: hashlib.sha256(
            f"{key}{sample.id}\x00{index}".encode(errors="replace")
        ).digest(),
    )
    right = sample.right_choice
    return replace(
        sample,
        choices=tuple(sample.choices[index] for index in order),
        right_choice=None if right is None else order.index(right),
    )
