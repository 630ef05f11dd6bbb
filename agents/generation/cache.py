"""A key-value cache whose rows are lanes: rows are dropped, put aside, and joined again.

Rows of one cache have different lengths. Slots that hold no token of a row (padding behind a
shorter piece, steps after a row finished) are holes: `valid` is False there, attention never
sees them, and they go when caches are joined.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 64
"""Slots that a layer's buffer grows by at least: growing by one would copy it every step."""


NOBODY = -1
"""The lane of a row whose episode ended."""


class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer's keys and values in a buffer with room to grow.

    `keys` and `values` are (rows, heads, length, head size) views of the buffer.
    """

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends (rows, heads, n, head size) and returns everything."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < after:
            self._buffers = self._grow(key_states, value_states, after)
        keys, values = self._buffers
        keys[:, :, before:after] = key_states
        values[:, :, before:after] = value_states
        self.keys, self.values = keys[:, :, :after], values[:, :, :after]
        return self.keys, self.values

    def put(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Replaces the contents; the buffer is made anew at the next update."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        self.keys, self.values, self._buffers = keys, values, None

    def _grow(
        self, key: torch.Tensor, value: torch.Tensor, after: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        before = self.get_seq_length()
        room = after + max(ROOM, after // 4)
        keys = key.new_empty(*key.shape[:2], room, key.shape[-1])
        values = value.new_empty(*value.shape[:2], room, value.shape[-1])
        if before:
            keys[:, :, :before] = self.keys
            values[:, :, :before] = self.values
        return keys, values


class LaneCache:
    """The cached keys and values of some lanes.

    Attributes:
        lanes: which lane each row belongs to.
        valid: (rows, length) bool, True where a slot holds a token of the row.
        layers: each layer's keys and values.
        kv: the same as transformers' cache, handed to the model, which appends to it.
    """

    def __init__(
        self, lanes: Sequence[int], valid: torch.Tensor, layers: Sequence[RoomyLayer]
    ) -> None:
        self.lanes = tuple(lanes)
        self.valid = valid
        self.layers = tuple(layers)
        self.kv = Cache(layers=list(layers))

    @classmethod
    def empty(cls, lanes: Sequence[int], n_layers: int, device: torch.device) -> LaneCache:
        """Returns a cache of nothing yet, for so many layers."""
        valid = torch.zeros(len(lanes), 0, dtype=torch.bool, device=device)
        return cls(lanes, valid, [RoomyLayer() for _ in range(n_layers)])

    def keep(self, rows: torch.Tensor) -> LaneCache:
        """Returns a cache of the rows where `rows`, (rows,) bool, is True."""
        numbers = rows.nonzero()[:, 0].tolist()
        return self.select(numbers, [self.lanes[number] for number in numbers])

    def forget(self, lane: int) -> None:
        """Makes a lane's row nobody's; it goes when rows are next selected."""
        # Selecting now would copy the rows of all lanes that stay.
        self.lanes = tuple(NOBODY if name == lane else name for name in self.lanes)

    def only(self, lanes: Container[int]) -> LaneCache | None:
        """Returns a cache of the rows that belong to these lanes; None where there are none."""
        rows = [row for row, lane in enumerate(self.lanes) if lane in lanes]
        if len(rows) == len(self.lanes):
            return self
        return self.select(rows, [self.lanes[row] for row in rows]) if rows else None

    def select(self, rows: Sequence[int], lanes: Sequence[int]) -> LaneCache:
        """Returns a cache of some rows, in this order, under these lanes' names.

        A row may come several times: that is how a prompt is shared.
        """
        index = torch.tensor(list(rows), device=self.valid.device)
        layers = []
        for layer in self.layers:
            copy = RoomyLayer()
            copy.put(layer.keys.index_select(0, index), layer.values.index_select(0, index))
            layers.append(copy)
        return LaneCache(lanes, self.valid.index_select(0, index), layers)


def join(caches: Sequence[LaneCache]) -> LaneCache:
    """Puts caches under each other, without their holes; the shorter rows are padded behind."""
    if len(caches) == 1 and bool(caches[0].valid.all()):
        return caches[0]
    # Slots may move: keys carry the rotation of their own position, and attention masks holes, so a
    # slot's place in the cache means nothing. A stable sort brings holes behind the tokens of a row
    # and keeps those in order; what is cut off behind `length` is holes in every row.
    length = max(int(cache.valid.sum(1).max()) for cache in caches)
    orders = [torch.argsort(~cache.valid, dim=1, stable=True)[:, :length] for cache in caches]
    valid = torch.cat(
        [_fit(c.valid.gather(1, o), length) for c, o in zip(caches, orders, strict=True)]
    )
    layers = []
    for number in range(len(caches[0].layers)):
        layer = RoomyLayer()
        parts = [c.layers[number] for c in caches]
        layer.put(
            torch.cat([_pack(p.keys, o, length) for p, o in zip(parts, orders, strict=True)]),
            torch.cat([_pack(p.values, o, length) for p, o in zip(parts, orders, strict=True)]),
        )
        layers.append(layer)
    lanes = [lane for cache in caches for lane in cache.lanes]
    return LaneCache(lanes, valid, layers)


def _pack(states: torch.Tensor, order: torch.Tensor, length: int) -> torch.Tensor:
    index = order[:, None, :, None].expand(-1, states.shape[1], -1, states.shape[3])
    packed = states.gather(2, index)  # (rows, heads, up to length, head size)
    missing = length - packed.shape[2]
    return torch.nn.functional.pad(packed, (0, 0, 0, missing)) if missing else packed


def _fit(valid: torch.Tensor, length: int) -> torch.Tensor:
    return torch.nn.functional.pad(valid, (0, length - valid.shape[1]))
