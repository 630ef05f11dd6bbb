"""MVBench: twenty tasks about what happens in a clip.

Kunchang Li and others, "MVBench: A Comprehensive Multi-modal Video Understanding Benchmark", CVPR
2024. Read from the published folder, or from Pixel Reasoner's evaluation set; nothing is downloaded
here.
"""

from __future__ import annotations

from pathlib import Path

from pixel_env.errors import ConfigError, unknown_name
from pixel_env.media.clip_reading import ClipReading
from pixel_env.media.clips import ClipSource
from pixel_env.media.open_video import check_backend
from pixel_env.media.video import MAX_DECODE_S
from pixel_env.types import Grade, Sample

from .grading import grade_choice
from .rows.folders import DataFolder, FolderName, find_rows
from .rows.json_files import read_json_list
from .rows.options import checked_choices, index_of_text
from .rows.parquet_files import read_parquets
from .rows.released import RELEASED_COLUMNS, released_sample
from .rows.row import JoinedRows, Row
from .rows.row_task import RowTask

VIDEOS = {
    "Action Sequence": "star/Charades_v1_480",
    "Action Prediction": "star/Charades_v1_480",
    "Action Antonym": "ssv2_video",
    "Fine-grained Action": "Moments_in_Time_Raw/videos",
    "Unexpected Action": "FunQA_test/test",
    "Object Existence": "clevrer/video_validation",
    "Object Interaction": "star/Charades_v1_480",
    "Object Shuffle": "perception/videos",
    "Moving Direction": "clevrer/video_validation",
    "Action Localization": "sta/sta_video",
    "Scene Transition": "scene_qa/video",
    "Action Count": "perception/videos",
    "Moving Count": "clevrer/video_validation",
    "Moving Attribute": "clevrer/video_validation",
    "State Change": "perception/videos",
    "Fine-grained Pose": "nturgbd",
    "Character Order": "perception/videos",
    "Egocentric Navigation": "vlnqa",
    "Episodic Reasoning": "tvqa/frames_fps3_hq",
    "Counterfactual Inference": "clevrer/video_validation",
}
"""The tasks, and the folder under `video/` where the clips of each are."""

FRAMES_PER_SECOND = {"Episodic Reasoning": 3.0}
"""Of the tasks whose clips are folders of frames."""

RELEASED = "mvbench.parquet"


class MVBench(RowTask):
    """MVBench, as published or in Pixel Reasoner's evaluation set.

    The tasks are the categories. Clips of five of them are shown between `start` and `end`
    only. The id is the task's file and the row, such as "action_count/12", rows from 1; Pixel
    Reasoner's evaluation set has ids of its own and no categories.
    """

    name = "mvbench"
    categories = tuple(VIDEOS)

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "test",
        category: str | None = None,
        *,
        video_backend: str = "auto",
        max_decode_s: float = MAX_DECODE_S,
    ) -> None:
        """Reads the questions; clips are opened sample by sample.

        Args:
            data_dir: the published folder: `json/` with a file for each task, and `video/` with
                the unpacked archives. None searches `data/mvbench` under the current folder, then
                in the Hugging Face cache.
            split: MVBench has one split, "test".
            category: one task, such as "Action Count"; None for all twenty.
            video_backend: what decodes clips, "pyav", "decord" or "auto"; see `ClipSource`.
            max_decode_s: how many seconds one pass over a clip may take.

        Raises:
            ConfigError: the data isn't there, the file of a task is missing, or an argument isn't
                known.
            DataError: a file of questions can't be read.
        """
        if split != "test":
            raise unknown_name("split", split, ("test",))
        if category is not None and category not in VIDEOS:
            raise unknown_name("category", category, VIDEOS)
        check_backend(video_backend)
        self._video_backend = video_backend
        self._max_decode_s = max_decode_s
        found = find_rows("MVBench", data_dir, ("json/*.json", RELEASED))
        self._folder = found.folder
        self._is_released = found.files[0].name == RELEASED
        if self._is_released:
            if category is not None:
                raise ConfigError("Pixel Reasoner's evaluation set of MVBench names no categories")
            super().__init__(read_parquets(found.files, RELEASED_COLUMNS), split, None)
            return
        wanted = (category,) if category else tuple(VIDEOS)
        files = {task: found.folder.path / "json" / f"{_stem(task)}.json" for task in wanted}
        missing = [path.name for path in files.values() if not path.is_file()]
        if missing:
            raise ConfigError(
                f"expected {len(files)} files of questions in {found.folder.path / 'json'}, "
                f"missing {', '.join(missing)}; fetch them again, or choose a category"
            )
        parts = [read_json_list(path, added={"task": task}) for task, path in files.items()]
        super().__init__(JoinedRows(parts), split, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by option letter or option text; an empty answer is wrong."""
        return grade_choice(sample, answer)

    def _sample(self, row: Row) -> Sample:
        if self._is_released:
            return released_sample(row, self._folder, needs_options=True)
        choices = checked_choices(row, row.value("candidates"), "candidates")
        right = index_of_text(row.text("answer"), choices)
        if right is None:
            raise row.fault(
                f"expected the text of one of {list(choices)} in column 'answer', "
                f"got {row.text('answer')!r:.80}"
            )
        return Sample(
            id=self._id(row),
            question=row.sentence("question"),
            media=(self._clip(row),),
            answers=(choices[right],),
            choices=choices,
            right_choice=right,
            category=self._category(row),
            origin=row.origin,
        )

    def _id(self, row: Row) -> str:
        if self._is_released:
            return row.name("qid")
        return f"{_stem(row.text('task'))}/{row.position}"

    def _category(self, row: Row) -> str:
        return "" if self._is_released else row.text("task")

    def _clip(self, row: Row) -> ClipSource:
        path = _video(self._folder, row)
        start_s, end_s = (row.number(name) if name in row else None for name in ("start", "end"))
        if start_s is not None and end_s is not None and not start_s < end_s:
            raise row.fault(f"expected start < end, got {start_s} and {end_s}")
        return ClipSource(
            path,
            name=f"{path} ({row.origin})",
            start_s=start_s,
            end_s=end_s,
            fps=FRAMES_PER_SECOND.get(row.text("task")),
            backend=self._video_backend,
            reading=ClipReading(
                constant_rate=True,  # the published formula, also where frames come unevenly
                max_decode_s=self._max_decode_s,
                within=self._folder.roots(),
            ),
        )


def _stem(task: str) -> str:
    """The name of a task's file.

    >>> _stem("Fine-grained Action")
    'fine_grained_action'
    """
    return task.lower().replace(" ", "_").replace("-", "_")


def _video(folder: DataFolder, row: Row) -> Path:
    """Finds a row's clip where the archives unpack to, under `video/` or beside it."""
    name, below = row.text("video"), VIDEOS[row.text("task")]
    paths = [f"video/{below}/{name}", f"{below}/{name}", f"video/{name}"]
    there = next((path for path in paths if folder.has(path)), paths[0])
    return folder.file_or_folder(there, row.origin)
