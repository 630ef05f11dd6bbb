"""V* Bench: 191 questions about small things in large pictures.

Penghao Wu and Saining Xie, "V*: Guided Visual Search as a Core Mechanism in Multimodal LLMs",
CVPR 2024. Read from the folder as it was published; nothing is downloaded here.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import ExifTags
from PIL import Image as PillowImage

from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.media import READ_ERRORS, ImageSource
from pixel_env.task import Task
from pixel_env.types import LETTERS, Box, Evidence, Grade, Sample

from .grading import grade_choice
from .rows import DataFolder, Row, read_json, read_jsonl

CATEGORIES = ("direct_attributes", "relative_position")
QUESTIONS = "test_questions.jsonl"
REPOSITORY = "craigwu/vstar_bench"
REVISION = "d9ae62c903da0c98336e85c5ee89cd863b04b4da"
DEFAULT_FOLDER = Path("data") / "vstar"

_OPTION = re.compile(r"^\s*\(([A-Z])\)[ \t]*", re.MULTILINE)
_INSTRUCTION = re.compile(r"\n\s*Answer with the option's letter[^\n]*\s*$", re.IGNORECASE)


class VStar(Task):
    """The published folder: `test_questions.jsonl`, `direct_attributes/`, `relative_position/`.

    A question with its options and the right letter comes from `test_questions.jsonl`, the boxes
    of what is asked about from the annotation beside the picture (`X.json` beside `X.jpg`; a
    picture without one has no evidence). The annotation's own `options`, where the right one is
    always first, are never read.

    Example:
        >>> VStar("nowhere")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        pixel_env.errors.ConfigError: V* Bench was not found: looked for test_questions.jsonl ...
    """

    name = "vstar"

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        split: str = "test",
        category: str | None = None,
    ) -> None:
        """Reads the questions; pictures and annotations are opened sample by sample.

        Args:
            data_dir: the published folder. None looks in `data/vstar` under the current folder,
                then in the Hugging Face cache on this disk.
            split: V* Bench has one split, "test".
            category: "direct_attributes" or "relative_position"; None for both.

        Raises:
            ConfigError: the folder isn't there, or `split` or `category` isn't known.
            DataError: a line of the questions isn't JSON, or its category isn't one of the two.
        """
        if split != "test":
            raise unknown_name("split", split, ("test",))
        if category is not None and category not in CATEGORIES:
            raise unknown_name("category", category, CATEGORIES)
        self._folder = DataFolder(find_folder(data_dir))
        self._category = category
        wanted = CATEGORIES if category is None else (category,)
        rows = read_jsonl(self._folder.path / QUESTIONS)
        self._rows = [row for row in rows if _category(row) in wanted]
        if not self._rows:
            raise DataError(
                f"{self._folder.path / QUESTIONS} holds no row of {' or '.join(wanted)}"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self._rows):
            raise IndexError(f"expected an index from 0 to {len(self._rows) - 1}, got {index}")
        row = self._rows[index]
        question, choices = _question_and_choices(row)
        right = _right_choice(row, choices)
        picture = self._folder.file(row.text("image"), row.origin)
        return Sample(
            id=_id(row),
            question=question,
            media=(ImageSource(picture, name=f"{picture} ({row.origin})"),),
            answers=(choices[right],),
            choices=choices,
            right_choice=right,
            category=_category(row),
            evidence=self._evidence(picture, row),
            origin=row.origin,
        )

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by option letter or option text; see `grading.declared_letter`."""
        return grade_choice(sample, answer)

    def index_of(self, sample_id: str) -> int:
        """Returns the index of a sample such as "direct_attributes/12"."""
        try:
            return self._index[sample_id]
        except KeyError:
            raise unknown_name("the id of a V* sample", sample_id, self._index) from None

    def fingerprint(self) -> str:
        """Returns the category and the SHA-256 of the file of questions."""
        content = (self._folder.path / QUESTIONS).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        return f"{self.name}:{self._category or 'all'}:{len(self)}:{digest}"

    @cached_property
    def _index(self) -> dict[str, int]:
        return {_id(row): index for index, row in enumerate(self._rows)}

    def _evidence(self, picture: Path, row: Row) -> tuple[Evidence, ...]:
        """Reads the boxes beside a picture; the picture's size comes from its header alone."""
        annotation = Path(row.text("image")).with_suffix(".json").as_posix()
        if not os.path.lexists(self._folder.path / annotation):
            return ()
        values = read_json(self._folder.file(annotation, row.origin), row.origin)
        boxes = values.get("bbox") if isinstance(values, dict) else None
        if not isinstance(boxes, list):
            raise row.fault(f"expected a list 'bbox' in {annotation}, got {boxes!r:.60}")
        size = _size(picture, row)
        where = f"{row.origin}: {annotation}"
        return tuple(Evidence(_box(values, size, where)) for values in boxes)


def find_folder(data_dir: str | os.PathLike[str] | None) -> Path:
    """Returns the folder that holds V* Bench: the one named, or the first default that is there.

    Raises:
        ConfigError: none holds the file of questions.
    """
    looked_in = [Path(data_dir)] if data_dir is not None else [DEFAULT_FOLDER, *_cached_folders()]
    for folder in looked_in:
        if (folder / QUESTIONS).is_file():
            return folder
    places = " and in ".join(str(folder.absolute()) for folder in looked_in)
    to = data_dir if data_dir is not None else DEFAULT_FOLDER
    raise ConfigError(
        f"V* Bench was not found: looked for {QUESTIONS} in {places}. Fetch it with "
        f"`python scripts/prepare_data.py vstar --to {to}` and pass data_dir={str(to)!r}; "
        "PixelReason-SyntheticSearch-v0 is a synthetic twin that needs no data."
    )


def _cached_folders() -> list[Path]:
    """Where the Hugging Face cache keeps the pinned revision, then the one last fetched."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    repository = hub / f"datasets--{REPOSITORY.replace('/', '--')}"
    newest = repository / "refs" / "main"
    revisions = [REVISION]
    if newest.is_file():
        revisions.append(newest.read_text(encoding="utf-8").strip())
    return [repository / "snapshots" / revision for revision in revisions]


def _category(row: Row) -> str:
    category = row.text("category").strip()
    if category not in CATEGORIES:
        raise row.fault(f"expected a category of {' or '.join(CATEGORIES)}, got {category!r}")
    return category


def _id(row: Row) -> str:
    """Category and number, so that mirrors with other file names give the same ids."""
    return f"{_category(row)}/{row.name('question_id')}"


def _question_and_choices(row: Row) -> tuple[str, tuple[str, ...]]:
    """Splits "QUESTION (A) x (B) y Answer with ..." at its line starts."""
    text = _INSTRUCTION.sub("", "\n" + row.text("text").replace("\r\n", "\n"))
    question, *parts = _OPTION.split(text)
    letters, choices = parts[::2], tuple(" ".join(part.split()) for part in parts[1::2])
    if len(choices) < 2 or letters != list(LETTERS[: len(letters)]):
        raise row.fault(
            "expected a question and options (A), (B), ... on lines of their own in column "
            f"'text', got the letters {letters} in {row.values['text']!r:.200}"
        )
    if not question.strip() or "" in choices or len(set(choices)) < len(choices):
        raise row.fault(f"a blank question, or a blank or repeated option: {choices}")
    return " ".join(question.split()), choices


def _right_choice(row: Row, choices: tuple[str, ...]) -> int:
    label = row.text("label").strip().strip("().").upper()
    shown = LETTERS[: len(choices)]
    if len(label) != 1 or label not in shown:
        raise row.fault(
            f"expected a label from {shown[0]} to {shown[-1]}, got {row.values['label']!r}"
        )
    return shown.index(label)


def _size(picture: Path, row: Row) -> tuple[int, int]:
    """(width, height) in pixels of the picture as it is shown, without decoding it."""
    try:
        with PillowImage.open(picture) as opened:
            width, height = opened.size
            orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    except READ_ERRORS as error:
        raise row.fault(f"picture {picture} can't be read: {error}") from error
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
