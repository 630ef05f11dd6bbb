"""Where the things of a board lie: cards apart, stickers over one another as far as allowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pixel_env.errors import ConfigError
from pixel_env.media.geometry import Box

from ..stickers import sticker_masks
from .board import BoardContent, BoardDifficulty, Sticker

CELL_PX = 4
"""Overlaps are measured on a grid of cells of this many pixels."""

_EDGE = 0.02
"""What stays free at the edges of a board, as a fraction of its side."""

_MARGIN = 0.05
"""What is kept visible beyond what is asked for: cells measure no finer."""

_TRIES = 200
_ATTEMPTS = 20

_FREE, _TAKEN = -1, -2

Place = tuple[int, int]
"""(x, y) of a centre in source pixels."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board that is laid out.

    Attributes:
        content: what it holds.
        difficulty: its knobs.
        stickers: where each sticker lies.
        cards: where each card lies.
    """

    content: BoardContent
    difficulty: BoardDifficulty
    stickers: tuple[Place, ...]
    cards: tuple[Place, ...]

    def sticker_box(self, number: int) -> Box:
        """Returns the rectangle of sticker `number`, from 0, fractions of the board."""
        return self._box(self.stickers[number], self.content.stickers[number].size_px)

    def card_box(self, number: int) -> Box:
        """Returns the rectangle of card `number`, from 0, fractions of the board."""
        return self._box(self.cards[number], self.difficulty.card_px)

    def _box(self, centre: Place, size_px: int) -> Box:
        side, half = float(self.difficulty.scene_px), size_px / 2
        (x, y) = centre
        return ((x - half) / side, (y - half) / side, (x + half) / side, (y + half) / side)


@lru_cache(maxsize=64)
def lay_out(content: BoardContent, difficulty: BoardDifficulty) -> Board:
    """Lays out a board; the same content always lies the same way.

    Raises:
        ConfigError: it is so full that no place is found.
    """
    rng = np.random.default_rng(content.places)
    for _ in range(_ATTEMPTS):
        table = _Table(difficulty, rng)
        cards = [table.put_card() for _ in content.cards]
        stickers = [table.put(sticker) for sticker in content.stickers]
        places = [*cards, *stickers]
        found = tuple(place for place in places if place is not None)
        if len(found) == len(places):
            return Board(content, difficulty, found[len(cards) :], found[: len(cards)])
    raise ConfigError(
        f"expected room for {len(content.stickers)} stickers on a board of "
        f"{difficulty.scene_px} px, found none; lower distractors, sticker_px or card_px"
    )


class _Table:
    """A board that is being laid out: which thing is topmost in each cell."""

    def __init__(self, difficulty: BoardDifficulty, rng: np.random.Generator) -> None:
        self._difficulty = difficulty
        self._rng = rng
        self._top = np.full((difficulty.scene_px // CELL_PX,) * 2, _FREE, np.int16)
        self._places: list[tuple[Place, int]] = []
        self._areas: list[int] = []
        self._seen: list[int] = []

    def put_card(self) -> Place | None:
        """Puts a card where nothing is, with room around it."""
        size = self._difficulty.card_px
        room = round(size * 0.6 / CELL_PX)
        for _ in range(_TRIES):
            place = self._anywhere(size)
            x, y = place[0] // CELL_PX, place[1] // CELL_PX
            window = self._top[max(y - room, 0) : y + room, max(x - room, 0) : x + room]
            if (window == _FREE).all():
                window[:] = _TAKEN
                return place
        return None

    def put(self, sticker: Sticker) -> Place | None:
        """Puts a sticker on top, so that every sticker stays visible enough."""
        mask = _cells(sticker.shape, sticker.size_px, sticker.turn)
        has_neighbour = self._rng.random() < self._difficulty.overlaps and self._places
        for attempt in range(_TRIES):
            near = has_neighbour and attempt < _TRIES // 2
            place = self._near(sticker.size_px) if near else self._anywhere(sticker.size_px)
            corner = [place[i] // CELL_PX - mask.shape[0] // 2 for i in (1, 0)]
            if min(corner) < 0 or max(corner) + mask.shape[0] > len(self._top):
                continue
            rows, columns = (slice(low, low + mask.shape[0]) for low in corner)
            if self._cover(self._top[rows, columns], mask):
                self._places.append((place, sticker.size_px))
                return place
        return None

    def _cover(self, window: NDArray[np.int16], mask: NDArray[np.bool_]) -> bool:
        """Covers cells with the next sticker if all others stay visible enough."""
        below = window[mask]
        if below.min() == _TAKEN:
            return False
        lost = np.bincount(below[below >= 0], minlength=len(self._areas))
        least = min(self._difficulty.visible + _MARGIN, 1.0)
        for number in np.flatnonzero(lost):
            if self._seen[number] - lost[number] < least * self._areas[number]:
                return False
        for number in np.flatnonzero(lost):
            self._seen[number] -= int(lost[number])
        window[mask] = len(self._areas)
        self._areas.append(int(mask.sum()))
        self._seen.append(self._areas[-1])
        return True

    def _anywhere(self, size_px: int) -> Place:
        """Draws a place on the board, clear of its edges."""
        side = self._difficulty.scene_px
        inset = size_px * 0.55 + _EDGE * side
        x, y = self._rng.uniform(inset, side - inset, size=2)
        return int(x), int(y)

    def _near(self, size_px: int) -> Place:
        """Draws a place beside an earlier sticker, or partly over it."""
        (x, y), other_px = self._places[self._rng.integers(len(self._places))]
        angle = self._rng.uniform(0, 2 * np.pi)
        distance = self._rng.uniform(0.6, 1.0) * (size_px + other_px) / 2
        side = self._difficulty.scene_px
        inset = size_px * 0.55 + _EDGE * side
        moved = (x + distance * np.cos(angle), y + distance * np.sin(angle))
        x, y = (int(min(max(value, inset), side - inset)) for value in moved)
        return x, y


@lru_cache(maxsize=512)
def _cells(shape: str, size_px: int, turn: int) -> NDArray[np.bool_]:
    """Returns which cells a sticker with its rim covers, square."""
    rim = sticker_masks(shape, size_px, turn).rim
    side = round(rim.width / CELL_PX)
    return np.asarray(rim.resize((side, side))) > 127
