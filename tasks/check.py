"""Checks a folder of a data set: counts, pictures, and that every gold answer grades 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.registration import make_task
from pixel_env.task import Task
from pixel_env.task_sets import TASKS
from pixel_env.types import Sample

from .grading.gold_check import check_golds
from .pixel_reasoner_sft import PixelReasonerSFT
from .releases.catalogue import Release, ReleaseSplit

OWN = Release(
    name="records",
    title="Your own questions",
    task="Records",
    repository="",
    files={},
    licence="your own",
    parts=(ReleaseSplit(""),),
)
"""Stands for a file of a user's own questions, which is checked and not fetched."""

SMALL = (28, 28)
"""Size in which pictures are decoded."""

Media = ImageSource | ClipSource
"""What is opened."""

Track = Callable[[range], Iterable[int]]
"""Goes through the numbers of samples, and may show how far it is."""


@dataclass(slots=True)
class Checked:
    """What a check found.

    Attributes:
        splits: a sentence for each split that is there: its size, and its licence.
        remarks: what is worth knowing and no fault.
        faults: a sentence for each fault.
    """

    splits: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """A check of a folder against a release, in any of its layouts.

    Attributes:
        release: what should be in it.
        folder: the folder.
        is_quick: whether pictures are opened without decoding them.
        track: goes through the numbers of samples.
        settings: further arguments of the task set.
    """

    release: Release
    folder: Path
    is_quick: bool = False
    track: Track = iter
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: str | None = None) -> Checked:
        """Checks one split; None checks those that are there.

        Returns:
            What was found. A split that isn't there is a fault only where it was named, or where
            none is there.
        """
        checked = Checked()
        parts = [part for part in self.release.parts if split in (None, part.split)]
        missing = []
        for part in parts:
            try:
                task = make_task(
                    TASKS[self.release.task][0],
                    data_dir=self.folder,
                    split=part.split or None,
                    **self.settings,
                )
            except ConfigError as error:
                missing.append(str(error))
            except PixelEnvError as error:
                checked.faults.append(str(error))
            else:
                self._check_part(part, task, checked)
        if len(missing) == len(parts):
            checked.faults += missing[:1]
        return checked

    def _check_part(self, part: ReleaseSplit, task: Task, checked: Checked) -> None:
        """Opens every sample of a split, and compares their number with what is expected."""
        counts = Counter[str]()
        n_boxes = 0
        for index in self.track(range(len(task))):
            try:
                sample = task[index]
                for media in self._media_of(task, index, sample):
                    self._open(media)
            except PixelEnvError as error:
                checked.faults.append(str(error))
                continue
            checked.faults += check_golds(task, [index])
            counts[sample.category] += 1
            n_boxes += bool(sample.evidence)
        by_category = ", ".join(
            f"{category or 'all'} {n}" for category, n in sorted(counts.items())
        )
        boxes = f", {n_boxes} with evidence boxes" if n_boxes else ""
        checked.splits.append(
            f"{self.folder}: {len(task)} questions ({by_category}){boxes}; "
            f"licence: {self.release.licence}."
        )
        self._compare(part, counts, checked)

    def _media_of(self, task: Task, index: int, sample: Sample) -> Iterator[Media]:
        """The pictures and clips of a sample; of a conversation, those of every message."""
        if not isinstance(task, PixelReasonerSFT):
            yield from sample.media
            return
        for message in task.conversation(index).messages:
            yield from (part for part in message.parts if not isinstance(part, str))

    def _open(self, media: Media) -> None:
        if isinstance(media, ClipSource):
            frame = media.frame(media.n_frames)
            self._open(frame)
        elif self.is_quick:
            media.header_size()
        else:
            media.overview(SMALL)
            media.release()

    def _compare(self, part: ReleaseSplit, counts: Counter[str], checked: Checked) -> None:
        """Compares numbers with those expected, which are by category where samples have one."""
        expected = dict(part.counts)
        is_whole = "" in expected or set(counts) == {""}
        found = {"": counts.total()} if is_whole else dict(counts)
        if is_whole and expected:
            expected = {"": sum(expected.values())}
        if not expected or found == expected:
            return
        listed = ", ".join(f"{category} {n}" for category, n in expected.items() if category)
        by_category = f" ({listed})" if listed else ""
        total = sum(expected.values())
        if part.is_certain:
            checked.faults.append(f"expected {total} good questions{by_category}")
        else:
            checked.remarks.append(f"about {total} questions are published{by_category}")
