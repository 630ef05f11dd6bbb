"""V* Bench: 191 questions about small things in large pictures.

Penghao Wu and Saining Xie, "V*: Guided Visual Search as a Core Mechanism in Multimodal LLMs",
CVPR 2024. Read from the folder as it was published, or from a copy with the pictures in a parquet;
nothing is downloaded here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import ExifTags

from pixel_env.errors import DataError, unknown_name
from pixel_env.media.border import foreign_bytes
from pixel_env.media.geometry import Box
from pixel_env.media.picture_files import open_picture
from pixel_env.types import Evidence, Grade, Sample

from .grading import grade_choice
from .rows.folders import FolderName, find_rows
from .rows.json_files import read_json, read_jsonl
from .rows.options import checked_choices, right_choice, split_question
from .rows.parquet_files import read_parquets
from .rows.pictures import embedded_picture, picture_file
from .rows.released import RELEASED_COLUMNS, is_released, released_sample
from .rows.row import Row
from .rows.row_task import RowTask

CATEGORIES = ("direct_attributes", "relative_position")
QUESTIONS = "test_questions.jsonl"
LAYOUTS = (QUESTIONS, "vstar.parquet", "data/test-*.parquet", "test-*.parquet")
COLUMNS = ("image", "text", "label", "question_id", "category", "question", "choices", "answer")


class VStar(RowTask):
    """V* Bench, in any of its published layouts.

    As the authors published it: a question with its options and the right letter comes from
    `test_questions.jsonl`, the boxes of what is asked about from the annotation beside the picture
    (`X.json` beside `X.jpg`; a picture without one has no evidence). The annotation's own
    `options`, where the right one is always first, are never read. The copies in parquet
    (`lmms-lab/vstar-bench`, `ohjoonhee/vstar_bench`) give the same ids and have no boxes; Pixel
    Reasoner's evaluation set has ids of its own and no categories.

    Example:
        >>> VStar("nowhere")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        pixel_env.errors.ConfigError: V* Bench was not found: looked for test_questions.jsonl ...
    """

    name = "vstar"
    categories = CATEGORIES

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "test",
        category: str | None = None,
    ) -> None:
        """Finds the questions; pictures and annotations are opened sample by sample.

        Args:
            data_dir: the published folder. None searches `data/vstar` under the current folder,
                then in the Hugging Face cache on this disk.
            split: V* Bench has one split, "test".
            category: "direct_attributes" or "relative_position"; None for both.

        Raises:
            ConfigError: the folder isn't there, or `split` or `category` isn't known.
            DataError: the file of questions can't be read.
        """
        if split != "test":
            raise unknown_name("split", split, ("test",))
        found = find_rows("VStar", data_dir, LAYOUTS)
        self._folder = found.folder
        if found.files[0].suffix == ".parquet":
            rows = read_parquets(found.files, (*COLUMNS, *RELEASED_COLUMNS))
        else:
            rows = read_jsonl(found.files[0])
        self._is_released = is_released(rows)
        super().__init__(rows, split, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by option letter or option text; see `grading.declared_letter`."""
        return grade_choice(sample, answer)

    def _sample(self, row: Row) -> Sample:
        if self._is_released:
            return released_sample(row, self._folder, needs_options=True)
        question, choices = _question_and_choices(row)
        right = right_choice(row, "label" if "label" in row else "answer", choices)
        evidence: tuple[Evidence, ...] = ()
        if "image" in row.late:
            source = embedded_picture(row, "image", self._folder)
        else:
            path, source = picture_file(row.text("image"), row.origin, (self._folder,))
            evidence = self._evidence(path, row)
        return Sample(
            id=self._id(row),
            question=question,
            media=(source,),
            answers=(choices[right],),
            choices=choices,
            right_choice=right,
            category=self._category(row),
            evidence=evidence,
            origin=row.origin,
        )

    def _id(self, row: Row) -> str:
        """Category and number, so that copies with other file names give the same ids."""
        if self._is_released:
            return row.name("qid")
        return f"{self._category(row)}/{row.name('question_id')}"

    def _category(self, row: Row) -> str:
        if self._is_released:
            return ""
        category = row.text("category").strip()
        if category not in CATEGORIES:
            raise row.fault(f"expected a category of {' or '.join(CATEGORIES)}, got {category!r}")
        return category

    def _evidence(self, picture: Path, row: Row) -> tuple[Evidence, ...]:
        """Reads the boxes beside a picture; the picture's size comes from its header alone."""
        annotation = Path(row.text("image")).with_suffix(".json").as_posix()
        if not self._folder.has(annotation):
            return ()
        values = read_json(self._folder.file(annotation, row.origin), row.origin)
        boxes = values.get("bbox") if isinstance(values, dict) else None
        if not isinstance(boxes, list):
            raise row.fault(f"expected a list 'bbox' in {annotation}, got {boxes!r:.60}")
        size = _size(picture, row)
        where = f"{row.origin}: {annotation}"
        return tuple(Evidence(_box(values, size, where)) for values in boxes)


def _question_and_choices(row: Row) -> tuple[str, tuple[str, ...]]:
    """Reads "QUESTION (A) x (B) y Answer with ...", or the columns `question` and `choices`."""
    column = "text" if "text" in row else "question"
    question, choices = split_question(row.text(column))
    if "choices" in row:
        choices = checked_choices(row, row.value("choices"), "choices")
    if not choices:
        raise row.fault(
            "expected a question and options (A), (B), ... on lines of their own in column "
            f"{column!r}, got {row.text(column)!r:.200}"
        )
    if not question or "" in choices or len(set(choices)) < len(choices):
        raise row.fault(f"a blank question, or a blank or repeated option: {choices}")
    return question, choices


def _size(picture: Path, row: Row) -> tuple[int, int]:
    """(width, height) in pixels of the picture as it is shown, without decoding it."""
    with foreign_bytes(f"{row.origin}: picture {picture}"), open_picture(picture) as opened:
        width, height = opened.size
        orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)


def _box(values: Any, size: tuple[int, int], where: str) -> Box:
    """Turns [x, y, width, height] in pixels into fractions, cut at the picture's edges.

    Raises:
        DataError: not four numbers, or nothing of the box lies in the picture.
    """
    is_box = isinstance(values, list) and len(values) == 4
    if not is_box or not all(isinstance(v, int | float) for v in values):
        raise DataError(f"{where}: expected a box [x, y, width, height], got {values!r:.60}")
    x, y, width, height = values
    x1, x2 = (min(max(edge / size[0], 0.0), 1.0) for edge in (x, x + width))
    y1, y2 = (min(max(edge / size[1], 0.0), 1.0) for edge in (y, y + height))
    if not (x1 < x2 and y1 < y2):
        raise DataError(f"{where}: box {values} covers nothing of the {size[0]}x{size[1]} picture")
    return x1, y1, x2, y2
