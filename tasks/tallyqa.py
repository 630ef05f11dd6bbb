"""TallyQA: how many of something there are.

Manoj Acharya, Kushal Kafle and Christopher Kanan, "TallyQA: Answering Complex Counting Questions",
AAAI 2019. Read from the authors' files, from a copy in a parquet, or from Pixel Reasoner's
evaluation set; nothing is downloaded here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pixel_env.errors import ConfigError, unknown_name
from pixel_env.types import Grade, Sample

from .grading import grade_count
from .rows.folders import DataFolder, FolderName, Found, find_rows
from .rows.json_files import read_json_list
from .rows.parquet_files import read_parquets
from .rows.pictures import picture
from .rows.released import RELEASED_COLUMNS, is_released, released_sample
from .rows.row import NestedRows, Row, Rows
from .rows.row_task import RowTask

CATEGORIES = ("simple", "complex")
SPLITS = ("train", "test")
DEFINITIONS = ("data_source", "issimple")
COPIES = ("tallyqa_mini3200.parquet", "data/test-*.parquet", "test-*.parquet")
"""Layouts that hold the test split only."""

Definition = Literal["data_source", "issimple"]


class TallyQA(RowTask):
    """Counting questions, in any of their published layouts.

    Two definitions of a complex question are in use. The authors' evaluation takes those that
    people wrote for TallyQA (`data_source` is "amt"); this is the default, and both splits have
    it. Many harnesses take those that are marked so (`issimple`), which only the test split is.

    The authors' `question_id` is the id. The copy in a parquet carries no ids: there the id is the
    number of the picture and of the question, such as "17-2". Pixel Reasoner's evaluation set has
    ids of its own and no categories.
    """

    name = "tallyqa"
    categories = CATEGORIES

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "test",
        category: str | None = None,
        *,
        complex_by: Definition = "data_source",
        image_dir: FolderName | Sequence[FolderName] | None = None,
    ) -> None:
        """Reads the questions; pictures are opened sample by sample.

        Args:
            data_dir: the folder of `train.json` and `test.json`, or of a copy. None searches
                `data/tallyqa` under the current folder, then in the Hugging Face cache.
            split: "train" or "test".
            category: "simple" or "complex"; None for both.
            complex_by: what makes a question complex: "data_source" or "issimple".
            image_dir: folders with the pictures (`VG_100K/`, `VG_100K_2/`, `train2014/`,
                `val2014/`), where they aren't in `data_dir`.

        Raises:
            ConfigError: the data isn't there, or an argument isn't known.
            DataError: the file of questions can't be read.
        """
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        if complex_by not in DEFINITIONS:
            raise unknown_name("complex_by", complex_by, DEFINITIONS)
        if complex_by == "issimple" and split == "train":
            raise ConfigError(
                "expected complex_by='data_source' for the train split: its rows have no 'issimple'"
            )
        layouts = (f"{split}.json", *(COPIES if split == "test" else ()))
        found = find_rows("TallyQA", data_dir, layouts)
        rows = _rows(found)
        self._folder = found.folder
        self._complex_by = complex_by
        self._is_released = is_released(rows)
        self._image_folders = _image_folders(found.folder, image_dir)
        if self._is_released and category is not None:
            raise ConfigError("Pixel Reasoner's evaluation set of TallyQA names no categories")
        super().__init__(rows, split, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by the exact number; see `grading.declared_count`."""
        return grade_count(sample, answer)

    def fingerprint(self) -> str:
        """Returns what `RowTask` does, and the definition of a complex question."""
        return f"{super().fingerprint()}:{self._complex_by}"

    def _sample(self, row: Row) -> Sample:
        if self._is_released:
            return released_sample(row, self._folder)
        return Sample(
            id=self._id(row),
            question=row.sentence("question"),
            media=(picture(row, "image", self._image_folders),),
            answers=(_count(row),),
            category=self._category(row),
            origin=row.origin,
        )

    def _id(self, row: Row) -> str:
        if self._is_released:
            return row.name("qid")
        return row.name("question_id" if "question_id" in row else "entry")

    def _category(self, row: Row) -> str:
        if self._is_released:
            return ""
        if self._complex_by == "data_source":
            is_simple = row.sentence("data_source") != "amt"
        else:
            is_simple = row.flag("is_simple" if "is_simple" in row else "issimple")
        return "simple" if is_simple else "complex"


def _rows(found: Found) -> Rows:
    if found.files[0].suffix == ".json":
        return read_json_list(found.files[0])
    rows = read_parquets(found.files, ("qa", *RELEASED_COLUMNS))
    return NestedRows(rows, "qa") if "qa" in rows.columns() else rows


def _image_folders(
    folder: DataFolder, image_dir: FolderName | Sequence[FolderName] | None
) -> tuple[DataFolder, ...]:
    if image_dir is None:
        return (folder,)
    if isinstance(image_dir, str | os.PathLike):
        image_dir = (image_dir,)
    folders = [Path(each) for each in image_dir]
    for each in folders:
        if not each.is_dir():
            raise ConfigError(f"expected image_dir to be a folder, there is none at {each}")
    return tuple(DataFolder(each) for each in folders)


def _count(row: Row) -> str:
    """The number as text; a number is stored as one, or as text."""
    value = row.value("answer")
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise row.fault(f"expected a count in column 'answer', got {value!r:.80}")
    return str(value)
