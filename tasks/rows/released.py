r"""Rows as Pixel Reasoner's RL and evaluation releases have them.

Columns `question`, `answer` (a list of "\\boxed{...}", or one text), `image` (a list of paths),
`qid`, `is_video` (true, false, or missing). A clip is a list of its frames. The pictures lie where
the release's archive puts them, `images/...`, or in a folder that is named after the parquet as
the authors' evaluation renames it: `vstar_images/...`.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from pixel_env.errors import unknown_name
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.types import Sample

from .boxed_answers import accepted_answers
from .folders import DataFolder, FolderName, find_rows
from .options import right_choice, split_question
from .row import Row, Rows
from .row_task import RowTask

RELEASED_COLUMNS = ("question", "answer", "image", "qid", "is_video")

_MARK = "<image>"


class TrainingRelease(RowTask):
    """What the releases for training have in common: one file, one split, ids and categories.

    A sample's id is the row's `qid`, and its category the benchmark that `qid` names.

    Attributes:
        file: the file that holds the rows, beside the unpacked archives.
    """

    file: ClassVar[str]

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "train",
        category: str | None = None,
    ) -> None:
        """Reads the rows; pictures and clips are opened one by one.

        Args:
            data_dir: the folder of the file. None searches the release's own folder under `data`
                in the current one, then in the Hugging Face cache.
            split: there is one, "train".
            category: the benchmark that `qid` begins with; None for all.

        Raises:
            ConfigError: the data isn't there, or an argument isn't known.
            DataError: the file can't be read.
        """
        if split != "train":
            raise unknown_name("split", split, ("train",))
        found = find_rows(type(self).__name__, data_dir, (self.file,))
        self._folder = found.folder
        super().__init__(self._read(found.files), split, category)

    @abstractmethod
    def _read(self, files: tuple[Path, ...]) -> Rows:
        """Opens the file; raises `DataError` where it can't be read."""

    def _id(self, row: Row) -> str:
        return row.name("qid")

    def _category(self, row: Row) -> str:
        return row.name("qid").split("-")[0]


def is_released(rows: Rows) -> bool:
    """Tells whether rows have the columns of these releases."""
    return "qid" in rows.columns()


def released_sample(
    row: Row, folder: DataFolder, *, category: str = "", needs_options: bool = False
) -> Sample:
    """Makes the sample of a row; opens no picture.

    Options that stand under the question become the sample's choices; a row without them has a
    free answer.

    Args:
        row: the row.
        folder: where the pictures are.
        category: the sample's category.
        needs_options: whether a row without options is a fault.

    Raises:
        DataError: the row can't be used.
    """
    question, choices = split_question(without_mark(row.text("question")))
    answers = accepted_answers(_answers(row))
    if not question or not answers:
        raise row.fault("expected a question and at least one answer, one of them is blank")
    if needs_options and not choices:
        raise row.fault(f"expected options on lines of their own, got {question!r:.80}")
    right = right_choice(row, "answer", choices, answers[0]) if choices else None
    return Sample(
        id=row.name("qid"),
        question=question,
        media=_media(row, folder),
        answers=answers if right is None else (choices[right],),
        choices=choices,
        right_choice=right,
        category=category,
        origin=row.origin,
    )


def without_mark(text: str) -> str:
    r"""Takes the literal "<image>\n" off the head of a question.

    Example:
        >>> without_mark("<image>\nHow many?")
        'How many?'
    """
    text = text.lstrip()
    while text.startswith(_MARK):
        text = text[len(_MARK) :].lstrip()
    return text


def released_paths(values: Any, row: Row, folder: DataFolder) -> tuple[Path, ...]:
    """Returns the files that a list of paths names.

    Raises:
        DataError: it is no list of paths, or a file can't be reached.
    """
    values = [values] if isinstance(values, str) else values
    is_list = isinstance(values, list | tuple) and len(values) > 0
    if not is_list or not all(isinstance(value, str) for value in values):
        raise row.fault(f"expected a list of paths of pictures, got {values!r:.80}")
    stem = row.origin.partition(".")[0]
    paths = []
    for value in values:
        renamed = f"{stem}_{value}"
        known = value if folder.has(value) or not folder.has(renamed) else renamed
        paths.append(folder.file(known, row.origin))
    return tuple(paths)


def released_media(
    paths: tuple[Path, ...], origin: str, *, is_clip: bool
) -> tuple[ImageSource, ...] | tuple[ClipSource]:
    """Returns pictures, or one clip whose frames they are."""
    if is_clip:
        return (ClipSource(paths, name=f"{paths[0].parent} ({origin})"),)
    return tuple(ImageSource(path, name=f"{path} ({origin})") for path in paths)


def _media(row: Row, folder: DataFolder) -> tuple[ImageSource, ...] | tuple[ClipSource]:
    paths = released_paths(row.value("image"), row, folder)
    return released_media(paths, row.origin, is_clip="is_video" in row and row.flag("is_video"))


def _answers(row: Row) -> tuple[str, ...]:
    value = row.value("answer")
    return (str(value),) if isinstance(value, str | int) else row.texts("answer")
