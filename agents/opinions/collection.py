"""Collects second scores of an evaluation, and keeps them in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixel_env import PixelReasoningEnv
from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed, record
from pixel_env.files.json_values import plain
from pixel_env.files.lines import append_line, whole_lines
from pixel_env.files.whole_file import write_whole
from pixel_env.registration import make_bare
from pixel_env.shuffle import with_shuffled_options
from pixel_env.types import Sample

from ..evaluation.results import EpisodeResult, counted
from .opinion import Item, Opinion, Scorer


def collect(
    scorer: Scorer, path: Path, manifest: Mapping[str, Any], results: Sequence[EpisodeResult]
) -> None:
    """Scores the answers of an evaluation that a file has no score for yet.

    Scores are kept as they come, so a stop loses few. Those of another scorer, of other settings
    or of another answer are dropped, and those that failed are tried again.

    Args:
        scorer: what scores.
        path: the file; made where missing.
        manifest: of the evaluation.
        results: of the evaluation.

    Raises:
        ConfigError: the environment can't be made.
    """
    head = _line({"source": scorer.source()})
    answers = {each.place: each.answer for each in counted(results) if each.answer is not None}
    kept = [each for each in _cached(path, head) if answers.get(each.place) == each.answer]
    done = {each.place for each in kept}
    left = {place: answer for place, answer in sorted(answers.items()) if place not in done}
    if not left and path.exists() and len(kept) == len(read_opinions(path)):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _text(head, kept))
    if left:
        env = make_bare(manifest["env_id"], **manifest["env_kwargs"])
        items = [Item(*place, shown_sample(env, place[0]), text) for place, text in left.items()]
        for opinion in scorer.score(items):
            append_line(path, _line(asdict(opinion)))
            kept.append(opinion)
        write_whole(path, _text(head, sorted(kept, key=lambda each: each.place)))


def read_opinions(path: Path) -> list[Opinion]:
    """Reads a file of second scores; [] where there is none.

    Raises:
        DataError: the file is damaged.
    """
    if not path.exists():
        return []
    try:
        lines = whole_lines(path)[1:]
    except OSError as fault:
        raise DataError(f"second scores {path} can't be read: {fault}") from fault
    named = ((line, f"{path} line {number}") for number, line in enumerate(lines, 2))
    return [record(Opinion, parsed(line, where), where) for line, where in named]


def shown_sample(env: PixelReasoningEnv, index: int) -> Sample:
    """Returns a sample as the environment shows it; reads no media.

    Raises:
        DataError: its row can't be read.
    """
    sample = env.task[index]
    if env.config.option_order == "seeded":
        return with_shuffled_options(sample, env.task.option_key(index))
    return sample


def _cached(path: Path, head: str) -> list[Opinion]:
    """Returns the scores of this scorer that a file holds, without those that failed."""
    if not path.exists():
        return []
    with path.open("rb") as lines:
        if lines.readline() != f"{head}\n".encode():
            return []
    return [each for each in read_opinions(path) if not each.fault]


def _text(head: str, opinions: Iterable[Opinion]) -> str:
    lines = [head, *(_line(asdict(each)) for each in opinions)]
    return "".join(f"{line}\n" for line in lines)


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(plain(values, other=str))
