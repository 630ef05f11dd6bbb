"""Checks a folder of a data set: counts, pictures, and that every gold answer grades 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.registration import TASKS, make_task
from pixel_env.task import Task
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

LOOK = (28, 28)

Media = ImageSource | ClipSource
"""What is looked at."""

Track = Callable[[range], Iterable[int]]
"""Goes through the numbers of samples, and may show how far it is."""


@dataclass(slots=True)
class Checked:
    """What a check found.

    Attributes:
        held: a sentence for each split that is there: what it holds, and its licence.
        remarks: what is worth knowing and no fault.
        faults: a sentence for each fault.
    """

    held: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """A check of a folder that is said to hold a release, in any of its layouts.

    Attributes:
        release: what it should hold.
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
        """Looks at every sample of a split, and compares their number with what is expected."""
        held = Counter[str]()
        n_boxes = 0
        for index in self.track(range(len(task))):
            try:
                sample = task[index]
                for media in self._media_of(task, index, sample):
                    self._look(media)
            except PixelEnvError as error:
                checked.faults.append(str(error))
                continue
            checked.faults += check_golds(task, [index])
            held[sample.category] += 1
            n_boxes += bool(sample.evidence)
        told = ", ".join(f"{category or 'all'} {n}" for category, n in sorted(held.items()))
        boxes = f", {n_boxes} with evidence boxes" if n_boxes else ""
        checked.held.append(
            f"{self.folder}: {len(task)} questions ({told}){boxes}; "
            f"licence: {self.release.licence}."
        )
        self._compare(part, held, checked)

    def _media_of(self, task: Task, index: int, sample: Sample) -> Iterator[Media]:
        """The pictures and clips of a sample; of a conversation, those of every message."""
        if not isinstance(task, PixelReasonerSFT):
            yield from sample.media
            return
        for message in task.conversation(index).messages:
            yield from (part for part in message.parts if not isinstance(part, str))

    def _look(self, media: Media) -> None:
        if isinstance(media, ClipSource):
            frame = media.frame(media.n_frames)
            self._look(frame)
        elif self.is_quick:
            media.header_size()
        else:
            media.overview(LOOK)
            media.release()

    def _compare(self, part: ReleaseSplit, held: Counter[str], checked: Checked) -> None:
        """Compares numbers with those expected, which are by category where samples have one."""
        expected = dict(part.counts)
        is_whole = "" in expected or set(held) == {""}
        found = {"": held.total()} if is_whole else dict(held)
        if is_whole and expected:
            expected = {"": sum(expected.values())}
        if not expected or found == expected:
            return
        told = ", ".join(f"{category} {n}" for category, n in expected.items() if category)
        by_category = f" ({told})" if told else ""
        total = sum(expected.values())
        if part.is_certain:
            checked.faults.append(f"expected {total} good questions{by_category}")
        else:
            checked.remarks.append(f"about {total} questions are published{by_category}")
