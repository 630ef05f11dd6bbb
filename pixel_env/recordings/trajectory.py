"""Trajectories on disk: one line of JSON for each finished episode, and its pictures beside it.

Pictures are named by their content, so a picture that many episodes show is stored once, and the
same rollout always gives the same line. A line is written when its episode ends: a process that
dies loses the episode it was in, and no other.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from ..errors import ConfigError, OperationError, unknown_name
from ..files.json_values import plain
from ..files.lines import append_line, cut_unfinished_line, whole_lines
from ..files.whole_file import write_whole
from ..media.rgb import Image
from ..operations import operations
from ..types import Info, Observation

FORMATS = {"png": "PNG", "jpeg": "JPEG"}
"""Picture formats by file ending; PNG keeps every pixel, JPEG takes a tenth of the room."""

FILE_NAME = "trajectories.jsonl"

_STEP_KEYS = (
    "operation",
    "operation_error",
    "target_image",
    "requested_box",
    "executed_box",
    "coordinate_frame",
    "written_box",
    "clamped",
    "views_added",
    "control",
    "reward_terms",
)
_END_KEYS = (
    "task",
    "category",
    "origin",
    "env_error",
    "n_calls",
    "n_operations",
    "n_operation_errors",
    "answer",
    "grade",
    "rapr",
    "curiosity_bonus",
    "operation_penalty",
)


class TrajectoryFolder:
    """A folder that trajectories are appended to, by any number of writers at once."""

    def __init__(self, folder: str | os.PathLike[str], image_format: str = "png") -> None:
        """Opens or makes the folder; a line that a dying process left unfinished is cut off.

        Args:
            folder: holds `trajectories.jsonl` and `images/`; made where missing.
            image_format: "png" or "jpeg".

        Raises:
            ConfigError: an unknown format, or `folder` is a file.
        """
        if image_format not in FORMATS:
            raise unknown_name("image_format", image_format, FORMATS)
        self.folder = Path(folder)
        self.image_format = image_format
        try:
            (self.folder / "images").mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ConfigError(f"expected a folder, got a file in the way of {folder}") from None
        self.path = self.folder / FILE_NAME
        cut_unfinished_line(self.path)

    def __len__(self) -> int:
        """Returns how many trajectories the folder holds."""
        if not self.path.exists():
            return 0
        return len(whole_lines(self.path))

    def store(self, image: Image) -> str:
        """Stores a picture, unless it is there.

        Args:
            image: (height, width, 3) uint8 RGB.

        Returns:
            Its file name, relative to the folder.
        """
        digest = hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes())
        name = f"images/{digest.hexdigest()[:24]}.{self.image_format}"
        path = self.folder / name
        if not path.exists() or not path.stat().st_size:
            encoded = io.BytesIO()
            PillowImage.fromarray(image).save(encoded, FORMATS[self.image_format], quality=90)
            # Not synced: an episode has many, and one that a power cut left empty is stored again.
            write_whole(path, encoded.getvalue(), sync=False)
        return name

    def append(self, trajectory: dict[str, Any]) -> None:
        """Appends one trajectory as one line, whole or not at all."""
        append_line(self.path, json.dumps(plain(trajectory, other=repr), allow_nan=False))


class TrajectoryRecord:
    """One episode as it is being recorded; pictures are stored as they come.

    The record holds: `question`, `choices`, `seed`, `first` (images and their numbers at reset),
    `turns` (for each step the message or action, what the operation was, its boxes as fractions
    of the source, what `Operation.recorded` names, the feedback, the new images, and the reward
    terms), the sums `reward` and `reward_terms`, how the episode ended, and what `info` has at its
    end.
    """

    def __init__(
        self,
        folder: TrajectoryFolder,
        observation: Observation,
        info: Info,
        seed: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Starts the record of an episode.

        Args:
            folder: where it goes.
            observation: what `reset` returned.
            info: what `reset` returned.
            seed: the seed given to `reset`.
            options: the options given to `reset`.
        """
        self._folder = folder
        self._record: dict[str, Any] = {
            "sample_id": info.get("sample_id"),
            "seed": seed,
            "options": options,
            "question": observation["question"],
            "choices": list(observation["choices"]),
            "n_frames": observation["n_frames"],
            "first": self._news(observation),
            "turns": [],
        }
        self._terms: dict[str, float] = {}
        self._reward = 0.0

    def note(self, notes: Mapping[str, Any]) -> None:
        """Adds facts about the episode, by name."""
        self._record |= notes

    def note_turns(self, notes: Iterable[Mapping[str, Any]]) -> None:
        """Adds facts about turns that were added, by name, from the first turn on."""
        for turn, each in zip(self._record["turns"], notes, strict=False):
            turn.update(each)

    def add(
        self,
        action: object,
        observation: Observation,
        reward: float,
        info: Info,
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds one step.

        Args:
            action: what was given to `step`: a message, an action, or a parser's refusal.
            observation: what `step` returned.
            reward: what `step` returned.
            info: what `step` returned.
            notes: further facts about the turn, by name.
        """
        turn: dict[str, Any] = {"message": info["message"]} if "message" in info else {}
        if isinstance(action, OperationError):
            turn["refusal"] = str(action)
        elif "message" not in turn:
            turn["action"] = action
        operation = operations().get(info.get("operation"))
        keys = _STEP_KEYS if operation is None else (*_STEP_KEYS, *operation.recorded)
        turn.update({key: info[key] for key in keys if key in info})
        turn.update(self._news(observation), feedback=observation["feedback"], reward=reward)
        turn.update(notes or {})
        self._record["turns"].append(turn)
        self._reward += reward
        for name, value in info.get("reward_terms", {}).items():
            self._terms[name] = self._terms.get(name, 0.0) + float(value)

    def finish(self, terminated: bool, truncated: bool, info: Info) -> dict[str, Any]:
        """Appends the episode to the folder and returns its record.

        Args:
            terminated: what the last `step` returned.
            truncated: what the last `step` returned.
            info: what the last `step` returned.
        """
        record = self._record | {key: info[key] for key in _END_KEYS if key in info}
        record |= {
            "reward": self._reward,
            "reward_terms": self._terms,
            "terminated": bool(terminated),
            "truncated": bool(truncated),
        }
        self._folder.append(record)
        return record

    def _news(self, observation: Observation) -> dict[str, Any]:
        """Returns an observation's new pictures: file names, and the number of the first."""
        images = [self._folder.store(image) for image in observation["images"]]
        return {"images": images, "first_image": observation["first_image"]}
