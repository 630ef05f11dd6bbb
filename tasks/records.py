"""Records: a user's own questions, in a JSONL, JSON or parquet file.

`docs/data.md` describes the columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, unknown_name
from pixel_env.media.clip_reading import ClipReading
from pixel_env.media.clips import ClipSource
from pixel_env.media.geometry import Box
from pixel_env.media.open_video import check_backend
from pixel_env.media.pictures import ImageSource
from pixel_env.media.video import MAX_DECODE_S
from pixel_env.types import Evidence, Grade, Sample

from .grading import grade_anls, grade_choice, grade_count, grade_text
from .rows.folders import DataFolder, FolderName
from .rows.json_files import read_json_list, read_jsonl
from .rows.options import listed_choices, right_choice
from .rows.parquet_files import read_parquets
from .rows.pictures import pictures
from .rows.row import Row, Rows
from .rows.row_task import RowTask

_WHOLE = re.compile(r"(?<=\d)\.0+$")
SUFFIXES = (".jsonl", ".json", ".parquet")
GRADERS: dict[str, Callable[[Sample, str], Grade]] = {
    "text": grade_text,
    "count": grade_count,
    "anls": grade_anls,
}
"""How free answers are graded; questions with options are graded by their option in any case."""


class Records(RowTask):
    """Questions of one's own about pictures or clips.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> folder = Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (64, 48), "red").save(folder / "a.png")
        >>> line = '{"image": "a.png", "question": "Which colour?", "answer": "red"}'
        >>> _ = (folder / "questions.jsonl").write_text(line)
        >>> task = Records(folder)
        >>> task[0].id, task[0].question, task.grade(task[0], "Red.").score
        ('1', 'Which colour?', 1.0)
    """

    name = "records"

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str | None = None,
        category: str | None = None,
        *,
        metric: str = "text",
        video_backend: str = "auto",
        max_decode_s: float = MAX_DECODE_S,
    ) -> None:
        """Reads the questions; pictures and clips are opened sample by sample.

        Args:
            data_dir: the file of questions, or the folder that holds it; pictures and clips are
                named relative to that folder.
            split: the file's name without its ending, such as "test" for `test.jsonl`. None takes
                the only file of questions in the folder.
            category: keeps the rows of one category; None for all.
            metric: how free answers are graded: "text" (the same words), "count" (the same
                number) or "anls" (by edit distance).
            video_backend: what decodes video files, "pyav", "decord" or "auto"; see `ClipSource`.
            max_decode_s: how many seconds one pass over a video file may take.

        Raises:
            ConfigError: there is no such file, or several, or an argument isn't known.
            DataError: the file can't be read.
        """
        if metric not in GRADERS:
            raise unknown_name("metric", metric, GRADERS)
        check_backend(video_backend)
        self._video_backend = video_backend
        path = _file(data_dir, split)
        self.metric = metric
        self.score_name = "ANLS" if metric == "anls" else ""  # type: ignore[misc]
        self._folder = DataFolder(path.parent)
        self._reading = ClipReading(max_decode_s=max_decode_s, within=self._folder.roots())
        super().__init__(_rows(path), path.stem, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by the option where there are options, else by `metric`."""
        return (
            grade_choice(sample, answer) if sample.choices else GRADERS[self.metric](sample, answer)
        )

    def fingerprint(self) -> str:
        """Returns what `RowTask` does, and the metric."""
        return f"{super().fingerprint()}:{self.metric}"

    def _sample(self, row: Row) -> Sample:
        choices: tuple[str, ...] = ()
        right = None
        if "choices" in row:
            choices, names = listed_choices(row, "choices")
            right = _right_choice(row, choices, names)
        media = self._media(row)
        return Sample(
            id=self._id(row),
            question=row.sentence("question"),
            media=media,
            answers=self._answers(row) if right is None else (choices[right],),
            choices=choices,
            right_choice=right,
            category=self._category(row),
            evidence=_evidence(row, len(media)),
            origin=row.origin,
        )

    def _id(self, row: Row) -> str:
        return row.name("id") if "id" in row else str(row.position)

    def _category(self, row: Row) -> str:
        return row.name("category") if "category" in row else ""

    def _media(self, row: Row) -> tuple[ImageSource, ...] | tuple[ClipSource]:
        named = [column for column in ("image", "images", "video") if column in row]
        if len(named) != 1:
            raise row.fault(
                f"expected one of the columns image, images and video, got {named or 'none'}"
            )
        if named[0] == "video":
            return (self._clip(row),)
        return pictures(row, named[0], self._folder)

    def _answers(self, row: Row) -> tuple[str, ...]:
        """The accepted answers: `answers`, a list, or `answer`; each a text or a number."""
        if "answers" not in row:
            return (self._answer(row, "answer", row.value("answer")),)
        values = row.value("answers")
        if not isinstance(values, list) or not values:
            raise row.fault(f"expected a list of texts in column 'answers', got {values!r:.80}")
        return tuple(self._answer(row, "answers", value) for value in values)

    def _answer(self, row: Row, column: str, value: Any) -> str:
        """An accepted answer as text: a whole number has no decimal point, however it is stored."""
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise row.fault(f"expected a finite number in column {column!r}, got {value}")
            return str(int(value)) if value == int(value) else str(value)
        if not isinstance(value, str):
            raise row.fault(f"expected text in column {column!r}, got {value!r:.80}")
        text = " ".join(value.split())
        if not text:
            raise row.fault(f"expected text in column {column!r}, it is blank")
        return _WHOLE.sub("", text) if self.metric == "count" else text

    def _clip(self, row: Row) -> ClipSource:
        path: Path | list[Path]
        if isinstance(row.value("video"), list):
            path = [self._folder.file(frame, row.origin) for frame in row.texts("video")]
        else:
            path = self._folder.file_or_folder(row.text("video"), row.origin)
        start_s, end_s, fps = (
            row.number(column) if column in row else None for column in ("start", "end", "fps")
        )
        is_file = isinstance(path, Path) and path.is_file()
        if fps is None and not is_file and (start_s, end_s) != (None, None):
            raise row.fault("expected a column 'fps' beside the bounds of a clip of frames")
        if fps is not None and fps <= 0:
            raise row.fault(f"expected fps over 0, got {fps}")
        where = path if isinstance(path, Path) else path[0].parent
        if is_file:
            fps = None  # its frames have times of their own
        name = f"{where} ({row.origin})"
        return ClipSource(path, name, start_s, end_s, fps, self._video_backend, self._reading)


def _file(data_dir: FolderName | None, split: str | None) -> Path:
    """Finds the file of questions."""
    if data_dir is None:
        raise ConfigError("expected data_dir: your file of questions, or the folder that holds it")
    given = Path(data_dir)
    if given.is_file():
        if given.suffix not in SUFFIXES:
            raise ConfigError(f"expected a file {', '.join(SUFFIXES)}, got {given}")
        return given
    stem = split or "*"
    found = sorted(p for suffix in SUFFIXES for p in given.glob(stem + suffix) if p.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ConfigError(
            f"expected one file {stem} of {', '.join(SUFFIXES)} in {given.absolute()}, got {names}"
            f"{'; choose one by split' if found and split is None else ''}"
        )
    return found[0]


def _rows(path: Path) -> Rows:
    if path.suffix == ".parquet":
        return read_parquets([path])
    return read_jsonl(path) if path.suffix == ".jsonl" else read_json_list(path)


def _right_choice(row: Row, choices: tuple[str, ...], names: tuple[str, ...]) -> int:
    """Which option `answer` names; one of the row's own names goes before everything else."""
    named = str(row.value("answer")).strip().upper()
    return names.index(named) if named in names else right_choice(row, "answer", choices)


def _evidence(row: Row, n_media: int) -> tuple[Evidence, ...]:
    """The boxes of `evidence`: each [x1, y1, x2, y2], or {"box": [...], "image": 2}."""
    if "evidence" not in row:
        return ()
    values = row.value("evidence")
    if not isinstance(values, list):
        raise row.fault(f"expected a list of boxes in column 'evidence', got {values!r:.80}")
    found = []
    for value in values:
        box, image = (
            (value.get("box"), value.get("image", 1)) if isinstance(value, dict) else (value, 1)
        )
        if not isinstance(image, int) or image < 1 or ("video" not in row and image > n_media):
            raise row.fault(f"expected evidence in image 1 to {n_media}, got {image!r:.40}")
        found.append(Evidence(_box(row, box), image))
    return tuple(found)


def _box(row: Row, value: Any) -> Box:
    is_box = isinstance(value, list) and len(value) == 4
    if is_box and all(isinstance(edge, int | float) for edge in value):
        x1, y1, x2, y2 = value
        if 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1:
            return float(x1), float(y1), float(x2), float(y2)
    raise row.fault(
        "expected a box [x1, y1, x2, y2] of fractions from 0 to 1, x1 < x2 and y1 < y2, "
        f"got {value!r:.80}"
    )
