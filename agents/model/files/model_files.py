"""Checks the files of a model's folder before anything of them is loaded or allocated.

Only regular files, JSON objects of bounded size, and weights in safetensors whose headers fit their
sizes. Pickled weights (`.bin`) and code (`auto_map`) are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, DataError

from .json_files import read_object
from .safetensors_headers import FLOATS, StoredTensor, read_header

CONFIG = "config.json"
INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"
TOKENIZER, PROCESSOR = "tokenizer.json", "preprocessor_config.json"
ADAPTER = "adapter_config.json"

MODEL_TYPES = ("qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")

FURTHER_OBJECTS = (
    *("generation_config.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "chat_template.json", "processor_config.json"),
    *("video_preprocessor_config.json", TOKENIZER),
)
"""What transformers reads where it is there, beside what has to be there."""

_PLAIN_NAME = re.compile(r"[\w][\w.\-]*\.safetensors")

MAX_COUNT, MAX_NUMBER = 10_000, 2**31
"""Most of something counted (layers, heads, experts) in a configuration, and the largest number."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What the files of a model hold.

    Attributes:
        folder: where they are.
        weights: names the file, or the index of the files, with the weights.
        tensors: the weights by name.
        is_quantized: whether they are packed, so that a stored number stands for several weights.
    """

    folder: Path
    weights: Path
    tensors: Mapping[str, StoredTensor]
    is_quantized: bool

    @property
    def n_numbers(self) -> int:
        """How many numbers the weights are."""
        return sum(each.n_numbers for each in self.tensors.values())


def check_files(folder: Path) -> ModelFiles:
    """Checks the files of a model.

    Raises:
        ConfigError: the folder isn't laid out as the hub does, or holds something that isn't read.
        DataError: a file is damaged; the message names it.
    """
    _check_layout(folder)
    config = read_object(folder / CONFIG)
    check_config(folder / CONFIG, config)
    for name in (PROCESSOR, *FURTHER_OBJECTS):
        if (folder / name).exists() or (folder / name).is_symlink():
            read_object(folder / name)
    weights = folder / (WEIGHTS if (folder / WEIGHTS).exists() else INDEX)
    tensors = read_header(weights) if weights.name == WEIGHTS else _sharded(weights)
    is_quantized = "quantization_config" in config
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS and not is_quantized:
            raise DataError(f"{weights}: tensor {name!r} holds {tensor.dtype}, no weights")
    return ModelFiles(folder, weights, tensors, is_quantized)


def _check_layout(folder: Path) -> None:
    """Refuses a folder that lacks a file, or whose weights are in another format."""
    names = {path.name for path in folder.iterdir()}
    if ADAPTER in names:
        raise ConfigError(
            f"{folder / ADAPTER}: a folder with an adapter isn't read; merge it into its model "
            "(merge_and_unload of peft) and save that"
        )
    if not names & {WEIGHTS, INDEX}:
        for name in sorted(names):
            if name.endswith((".bin", ".pt", ".pth", ".bin.index.json")):
                raise ConfigError(
                    f"{folder / name}: pickled weights can run code and aren't read; where you "
                    f"trust them, load them with transformers: save_pretrained writes {WEIGHTS}"
                )
    lacking = [name for name in (CONFIG, PROCESSOR) if name not in names]
    if not names & {WEIGHTS, INDEX}:
        lacking.insert(0, WEIGHTS)
    if lacking:
        raise ConfigError(
            "expected a model in the hub's layout (config.json, model.safetensors, "
            f"tokenizer.json, preprocessor_config.json) in {folder}: there is no {lacking[0]}"
        )
    for name in names:
        if name.startswith("shard-"):  # transformers would read these instead
            raise ConfigError(
                f"{folder / name}: expected {WEIGHTS} or {INDEX}, not shards of a run"
            )


def check_config(path: Path, config: Mapping[str, Any]) -> None:
    """Refuses another architecture, and numbers that nothing could be built of.

    Args:
        path: of the configuration, for the message.
        config: what it holds.

    Raises:
        ConfigError: it is of another architecture, or asks for something that isn't read.
        DataError: a number is out of bounds.
    """
    found = config.get("model_type")
    if found not in MODEL_TYPES:
        code = "; the code that it names (auto_map) is never run" if "auto_map" in config else ""
        raise ConfigError(
            f"{path}: expected model_type to be {' or '.join(MODEL_TYPES)}, got {found!r:.80}{code}"
        )
    if "transformers_weights" in config:
        raise ConfigError(f"{path}: expected {WEIGHTS}, not transformers_weights")
    for name, number in _numbers(config):
        is_count = name.startswith("num_") or name == "depth"
        if not abs(number) <= (MAX_COUNT if is_count else MAX_NUMBER):
            raise DataError(f"{path}: {name} is out of bounds, {number!r:.40}")


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """Yields every whole number of a JSON value, under the name that it stands under."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _numbers(entry, key)
    elif isinstance(value, list):
        for entry in value:
            yield from _numbers(entry, name)
    elif isinstance(value, int):
        yield name, value


def _sharded(path: Path) -> dict[str, StoredTensor]:
    """Reads the headers of all files that an index names; each must hold what the index says."""
    places = read_object(path).get("weight_map")
    if not isinstance(places, Mapping) or not places:
        raise DataError(f"{path}: expected weight_map to name a file for every tensor")
    found: dict[str, StoredTensor] = {}
    headers: dict[str, dict[str, StoredTensor]] = {}
    for tensor, name in places.items():
        if not isinstance(name, str) or not _PLAIN_NAME.fullmatch(name):
            raise DataError(f"{path}: {name!r:.80} is no .safetensors file of this folder")
        if name not in headers:
            headers[name] = read_header(path.with_name(name))
        if tensor not in headers[name]:
            raise DataError(f"{path}: {name} holds no tensor {tensor!r:.80}")
        found[tensor] = headers[name][tensor]
    return found
