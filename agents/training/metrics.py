"""What a training writes down, and what it warns about.

Every metric that a trainer logs is defined in `docs/metrics.md`.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard.writer import SummaryWriter

from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed
from pixel_env.files.lines import append_line, whole_lines
from pixel_env.files.whole_file import naming, write_whole
from pixel_env.media.rgb import Image

FILE_NAME = "metrics.jsonl"

logger = logging.getLogger(__name__)


class MetricWriter:
    """Writes numbers by step, to TensorBoard and as one line of JSON a step; shows pictures there.

    A training that was killed and goes on from an earlier step opens its folder with that step:
    what was written after it is dropped, so that every step is in the file once.

    Attributes:
        path: the file of lines, `metrics.jsonl`: {"step": 3, "reward/mean": 0.5, ...}.
    """

    def __init__(self, folder: str | os.PathLike[str], resumed_step: int = 0) -> None:
        """Opens or makes the folder.

        Args:
            folder: holds `metrics.jsonl` and TensorBoard's event files; made where missing.
            resumed_step: the last step whose lines are kept; 0 starts anew.

        Raises:
            DataError: a line can't be read. One without an end was cut off, and is dropped.
        """
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.path = self._folder / FILE_NAME
        _keep_steps(self.path, resumed_step)
        self._board = SummaryWriter(str(self._folder), purge_step=resumed_step + 1)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Writes one step's numbers; they are on the disk when this returns.

        Args:
            step: from 1, growing.
            metrics: numbers by name; one that isn't finite is null in the file.
        """
        values = {name: float(value) for name, value in metrics.items()}
        with naming(self._folder):
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        append_line(self.path, json.dumps({"step": step, **finite}, allow_nan=False))

    def show_text(self, name: str, text: str) -> None:
        """Shows a text on TensorBoard, as a block of code; it is not in the file."""
        fenced = "\n".join(f"    {line}" for line in text.splitlines())
        with naming(self._folder):
            self._board.add_text(name, fenced)
            self._board.flush()

    def show_picture(self, step: int, name: str, picture: Image) -> None:
        """Shows a picture on TensorBoard; it is not in the file.

        Args:
            step: from 1.
            name: of the picture.
            picture: (height, width, 3) uint8 RGB.
        """
        with naming(self._folder):
            self._board.add_image(name, picture, step, dataformats="HWC")
            self._board.flush()

    def close(self) -> None:
        """Closes TensorBoard's file."""
        with naming(self._folder):
            self._board.close()


def read_metrics(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Returns the lines of a folder's `metrics.jsonl`, one dict a step; [] where there is none.

    Raises:
        DataError: a line can't be read. One without an end was cut off, and is left out.
    """
    path = Path(folder) / FILE_NAME
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(whole_lines(path), start=1):
        row = parsed(line, where := f"{path}, line {number}")
        if not isinstance(row, dict) or type(row.get("step")) is not int:
            raise DataError(f"{where}: expected an object with a whole number for step")
        rows.append(row)
    return rows


def _keep_steps(path: Path, last: int) -> None:
    """Drops a file's lines after step `last`, and a line that a dying process left unfinished."""
    rows = [row for row in read_metrics(path.parent) if row["step"] <= last]
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))
