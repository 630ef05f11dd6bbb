"""A task set over rows of files: one row, one question."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import ClassVar

from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.media.border import foreign_bytes
from pixel_env.task import Task
from pixel_env.types import Sample

from .row import Row, Rows
from .row_border import at_border, check_texts


class RowTask(Task):
    """What task sets over files have in common.

    A subclass finds its files in its constructor, gives the rows to this one, and defines how a row
    becomes a sample. A row that can't be read raises `DataError` when its sample is asked for; it
    stays in every split and category, so that an evaluation counts it instead of losing it.

    Attributes:
        categories: the categories that can be chosen; empty where they are whatever the rows have.
    """

    categories: ClassVar[tuple[str, ...]] = ()

    def __init__(self, rows: Rows, split: str, category: str | None) -> None:
        """Takes the rows, and reads them once where a category is chosen.

        Args:
            rows: the rows of the split.
            split: name of the split.
            category: the category to keep; None for all.

        Raises:
            ConfigError: the category isn't known.
            DataError: no row is left.
        """
        if category is not None and self.categories and category not in self.categories:
            raise unknown_name("category", category, self.categories)
        self.split = split
        self.category = category
        self._rows = rows
        self._places: Sequence[int] = range(len(rows))
        if category is not None:
            self._places = self._of_category(category)
        if not self._places:
            of = f" of category {category!r}" if category else ""
            raise DataError(f"{self.name} ({split}) holds no row{of}")

    @abstractmethod
    def _sample(self, row: Row) -> Sample:
        """Makes the sample of a row; opens no picture.

        Raises:
            DataError: the row can't be used.
        """

    @abstractmethod
    def _id(self, row: Row) -> str:
        """Returns the id of a row's sample, the same in every layout; raises as `_sample`."""

    def _category(self, row: Row) -> str:
        """Returns the category of a row; raises as `_sample`."""
        return ""

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"expected an index from 0 to {len(self) - 1}, got {index}")
        row = self._rows[self._places[index]]
        with at_border(row):
            sample = self._sample(row)
            check_texts(sample)
        first = self._index.get(sample.id, index)
        if first != index:
            other = self._rows.origin(self._places[first])
            raise row.fault(f"id {sample.id!r} is that of {other} already")
        return sample

    def index_of(self, sample_id: str) -> int:
        """Returns the index of the sample of an id; the ids are read once."""
        try:
            return self._index[sample_id]
        except KeyError:
            some = sorted(self._index)[:2000]
            near = unknown_name(f"the id of a sample of {self.name}", sample_id, some)
            if len(self._index) <= 20:
                raise near from None
            hint = str(near).partition(" Did you mean")[1:]
            raise ConfigError(
                f"{self.name} ({self.split}) holds no sample with id {sample_id!r}; "
                f"ids look like {some[0]!r}.{''.join(hint)}"
            ) from None

    def option_key(self, index: int) -> str:
        """Returns a digest of the file that a sample's row is in."""
        place = self._places[index]
        with foreign_bytes(f"{self._rows.origin(place)}: its file"):
            return self._rows.file_digest(place)

    def fingerprint(self) -> str:
        """Returns split, category, size, and a checksum of the files that hold the rows."""
        chosen = f"{self.split}:{self.category or 'all'}:{len(self)}"
        return f"{self.name}:{chosen}:{self._rows.digest()}"

    @cached_property
    def _index(self) -> dict[str, int]:
        """The first index of each id; rows without a readable id have none."""
        found: dict[str, int] = {}
        wanted = None if isinstance(self._places, range) else set(self._places)
        index = 0
        for place, row in enumerate(self._rows.each()):
            if wanted is not None and place not in wanted:
                continue
            if isinstance(row, Row):
                with suppress(DataError), at_border(row):
                    found.setdefault(self._id(row), index)
            index += 1
        return found

    def _of_category(self, category: str) -> list[int]:
        places, seen = [], set()
        for place, row in enumerate(self._rows.each()):
            own = None
            if isinstance(row, Row):
                with suppress(DataError), at_border(row):
                    own = self._category(row)
            if own in (category, None):
                places.append(place)
            seen.add(own or "")
        if category not in seen and not self.categories:
            raise unknown_name("category", category, seen)
        return places
