"""InfographicsVQA: questions about pages full of charts, figures and small print.

Minesh Mathew and others, "InfographicVQA", WACV 2022. Read from the authors' files, from a copy in
a parquet, or from Pixel Reasoner's evaluation set; nothing is downloaded here.
"""

from __future__ import annotations

from typing import ClassVar

from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.media.pictures import ImageSource
from pixel_env.types import Grade, Sample

from .grading import grade_anls
from .rows.folders import FolderName, find_rows
from .rows.json_files import read_json_list
from .rows.parquet_files import read_parquets
from .rows.pictures import embedded_picture, picture_file
from .rows.released import RELEASED_COLUMNS, is_released, released_sample
from .rows.row import Row, Rows
from .rows.row_task import RowTask

SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""The splits, and what the copy in parquet files calls them."""

COLUMNS = ("questionId", "question", "answers", "answer_type", "image")
IMAGE_FOLDERS = ("images", "Images", "")


class InfographicsVQA(RowTask):
    """Questions with free answers, scored by ANLS, in any of their published layouts.

    The id is `questionId` in the authors' files and in the copy alike; Pixel Reasoner's evaluation
    set has ids of its own. The category is `answer_type` where a layout has it.
    """

    name = "infographicsvqa"
    score_name: ClassVar[str] = "ANLS"

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "val",
        category: str | None = None,
    ) -> None:
        """Reads the questions; pictures are opened sample by sample.

        Args:
            data_dir: the folder of `infographicsVQA_val_v1.0_withQT.json` and the like with
                `images/` (or `Images/`), or of a copy. None searches `data/infographicsvqa` under
                the current folder, then in the Hugging Face cache.
            split: "train" or "val". The answers of "test" are not published, so it can't be
                graded.
            category: one of the answer types, such as "single span"; None for all.

        Raises:
            ConfigError: the data isn't there, an argument isn't known, or no row of the split has
                answers.
            DataError: the file of questions can't be read.
        """
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        found = find_rows("InfographicsVQA", data_dir, _layouts(split))
        self._folder = found.folder
        rows: Rows
        if found.files[0].suffix == ".parquet":
            rows = read_parquets(found.files, (*COLUMNS, *RELEASED_COLUMNS))
        else:
            rows = read_json_list(found.files[0], "data")
        self._is_released = is_released(rows)
        if not self._is_released and not _has_answers(rows):
            raise ConfigError(
                f"the answers of the split {split!r} of InfographicsVQA are not published, so it "
                "can't be graded here; choose split='val'"
            )
        super().__init__(rows, split, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by ANLS; `correct` is an exact match."""
        return grade_anls(sample, answer)

    def _sample(self, row: Row) -> Sample:
        if self._is_released:
            return released_sample(row, self._folder)
        if not row.values.get("answers"):
            raise row.fault("it has no answers, so it can't be graded")
        return Sample(
            id=self._id(row),
            question=row.sentence("question"),
            media=(self._picture(row),),
            answers=row.texts("answers"),
            category=self._category(row),
            origin=row.origin,
        )

    def _id(self, row: Row) -> str:
        return row.name("qid" if self._is_released else "questionId")

    def _category(self, row: Row) -> str:
        if "answer_type" not in row:
            return ""
        value = row.value("answer_type")
        return row.sentence("answer_type") if isinstance(value, str) else ", ".join(_types(row))

    def _picture(self, row: Row) -> ImageSource:
        if "image" in row.late:
            return embedded_picture(row, "image", self._folder)
        name = row.text("image_local_name")
        paths = [f"{folder}/{name}".lstrip("/") if folder else name for folder in IMAGE_FOLDERS]
        there = next((path for path in paths if self._folder.has(path)), paths[0])
        return picture_file(there, row.origin, (self._folder,))[1]


def _layouts(split: str) -> tuple[str, ...]:
    copied = SPLITS[split]
    own = (
        f"infographicsVQA_{split}_v1.0*.json",
        f"InfographicVQA/{copied}-*.parquet",
        f"data/{copied}-*.parquet",
        f"{copied}-*.parquet",
    )
    return (*own, "infographics.parquet") if split == "val" else own


def _types(row: Row) -> tuple[str, ...]:
    return tuple(sorted(row.texts("answer_type"))) if row.value("answer_type") else ()


def _has_answers(rows: Rows) -> bool:
    return any(not isinstance(row, DataError) and row.values.get("answers") for row in rows.each())
