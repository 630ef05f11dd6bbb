"""Token trajectories in one safetensors file: exact, shared pictures stored once, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pixel_env.errors import DataError
from pixel_env.files.json_values import plain

from .trajectory import EncodedImage, TokenTrajectory, Turn


def save_trajectories(path: Path, trajectories: Sequence[TokenTrajectory]) -> None:
    """Writes trajectories; a picture that several of them hold is written once.

    Args:
        path: the file, ending in .safetensors.
        trajectories: any number. Their `info` must be made of JSON's types, tuples and numpy
            values; tuples and arrays come back as lists, numpy numbers as Python's.

    Raises:
        ConfigError: `info` holds something that can't be stored.
    """
    weighted = [t.importance for t in trajectories if t.importance is not None]
    images = list({id(image): image for t in trajectories for image in t.images}.values())
    numbers = {id(image): number for number, image in enumerate(images)}
    tensors = {
        "ids": _joined([t.ids for t in trajectories], np.int64),
        "trainable": _joined([t.trainable for t in trajectories], np.bool_),
        "logprobs": _joined([t.logprobs for t in trajectories], np.float32),
        "importance": _joined(weighted, np.float32),
        "patches": _joined([image.patches.ravel() for image in images], np.float32),
    }
    header = {
        "images": [[*image.patches.shape, *image.grid, image.merge] for image in images],
        "trajectories": [
            {
                "length": len(t),
                "weighted": t.importance is not None,
                "images": [numbers[id(image)] for image in t.images],
                "image_starts": [int(start) for start in t.image_starts],
                "turns": [[turn.role, turn.start, turn.stop] for turn in t.turns],
                "reward": float(t.reward),
                "reward_terms": plain(t.reward_terms, "reward_terms"),
                "sample_id": t.sample_id,
                "group": int(t.group),
                "info": plain(t.info, "info"),
                "mask_reason": t.mask_reason,
            }
            for t in trajectories
        ],
    }
    save_file(tensors, path, metadata={"trajectories": json.dumps(header)})


def load_trajectories(path: Path) -> list[TokenTrajectory]:
    """Reads what `save_trajectories` wrote; shared pictures are shared objects again.

    Raises:
        DataError: the file is no such file, or broken.
    """
    try:
        with safe_open(path, framework="numpy") as stored:
            header = json.loads(stored.metadata()["trajectories"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        return _read(header, tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as fault:
        raise DataError(f"{path} holds no readable trajectories: {fault}") from fault


def _read(header: Any, tensors: Mapping[str, Any]) -> list[TokenTrajectory]:
    images: list[EncodedImage] = []
    used = 0
    for rows, width, t, h, w, merge in header["images"]:
        patches = tensors["patches"][used : used + rows * width].reshape(rows, width)
        images.append(EncodedImage(patches, (t, h, w), merge))
        used += rows * width
    trajectories = []
    start = weighed = 0
    for facts in header["trajectories"]:
        stop = start + facts.pop("length")
        importance = None
        if facts.pop("weighted", False):  # files of before have no weights
            importance = tensors["importance"][weighed : weighed + stop - start]
            weighed += stop - start
        trajectories.append(
            TokenTrajectory(
                ids=tensors["ids"][start:stop],
                trainable=tensors["trainable"][start:stop],
                logprobs=tensors["logprobs"][start:stop],
                images=tuple(images[number] for number in facts.pop("images")),
                image_starts=tuple(facts.pop("image_starts")),
                turns=tuple(Turn(*turn) for turn in facts.pop("turns")),
                importance=importance,
                **facts,
            )
        )
        start = stop
    return trajectories


def _joined(arrays: Sequence[np.ndarray[Any, Any]], dtype: Any) -> np.ndarray[Any, Any]:
    return np.concatenate(arrays).astype(dtype) if arrays else np.zeros(0, dtype)
