"""The right answers and the evidence of recorded samples, in a file beside the trajectories.

Whoever evaluates writes it, for people who ask why an answer was wrong. A trajectory holds what a
policy was given, and so never this.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files.json_records import parsed
from ..files.lines import append_line, cut_unfinished_line, whole_lines
from ..files.whole_file import write_whole
from ..history import History
from ..media.rgb import Image
from .trajectory import TrajectoryFolder

GOLD = "gold.jsonl"


class GoldFile:
    """`gold.jsonl` of a folder: one line for each sample, whatever number of episodes it has.

    A line holds `index`, `sample_id`, `answers`, `choices` (as shown), `right_choice`, `evidence`
    (`box` as fractions, `image`: source picture or frame from 1), `sources` (the picture or frame
    that each overview shows), and, of a clip none of whose overviews shows the evidence, `picture`
    and `picture_source`: a frame that does. Any number of threads may add samples.
    """

    def __init__(self, folder: TrajectoryFolder) -> None:
        """Goes on with the file of a folder, or begins one.

        Raises:
            DataError: a line can't be read.
        """
        self._folder = folder
        self.path = folder.folder / GOLD
        self._lock = threading.Lock()
        cut_unfinished_line(self.path)
        self._known = set(read_gold(folder.folder))

    def note(self, index: int, history: History) -> None:
        """Adds a sample, unless it is there.

        Args:
            index: of the sample in its task, from 0.
            history: of an episode that shows the sample.
        """
        with self._lock:
            if index in self._known:
                return
            self._known.add(index)
        line = {"index": index, **gold_of(history)}
        if (frame := _unseen_evidence(history)) is not None:
            line |= {"picture": self._folder.store(frame[1]), "picture_source": frame[0]}
        append_line(self.path, json.dumps(line))

    def finish(self) -> None:
        """Brings the lines into the samples' order, whatever order they ran in."""
        if self.path.exists():
            found = read_gold(self.path.parent)
            write_whole(self.path, "".join(f"{json.dumps(found[i])}\n" for i in sorted(found)))


def gold_of(history: History) -> dict[str, Any]:
    """Returns what a line holds of an episode's sample, as values that JSON can hold."""
    sample = history.sample
    return {
        "sample_id": sample.id,
        "answers": list(sample.answers),
        "choices": list(sample.choices),
        "right_choice": sample.right_choice,
        "evidence": [asdict(each) for each in sample.evidence],
        "sources": [view.source for view in history.views if view.origin == "overview"],
    }


def read_gold(folder: Path) -> dict[int, Mapping[str, Any]]:
    """Returns the lines of a folder's file by the samples' indices; {} where there is none.

    Raises:
        DataError: a line can't be read; it names file and line.
    """
    path = folder / GOLD
    found: dict[int, Mapping[str, Any]] = {}
    for number, line in enumerate(whole_lines(path) if path.exists() else (), 1):
        values = parsed(line, where := f"{path} line {number}")
        if not isinstance(values, dict) or type(values.get("index")) is not int:
            raise DataError(f"{where}: expected an object with index, a whole number")
        found[values["index"]] = values
    return found


def _unseen_evidence(history: History) -> tuple[int, Image] | None:
    """Returns the middle frame of a clip's evidence where no overview shows any of it."""
    frames = sorted({each.image for each in history.sample.evidence})
    if not history.n_frames or not frames or set(frames) & set(history.frame_numbers):
        return None
    number = frames[len(frames) // 2]
    try:
        source = history.picture(number)
        return number, source.overview(history.views[0].image.shape[1::-1])
    except DataError:
        return None  # the page shows the boxes without it
