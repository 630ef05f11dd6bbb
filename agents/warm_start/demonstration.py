"""A demonstration as text, as lines of a file, and as tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, overload

import gymnasium as gym

from pixel_env.errors import ConfigError, DataError
from pixel_env.files.json_records import parsed, record
from pixel_env.files.lines import append_line
from pixel_env.files.whole_file import whole_file
from pixel_env.types import Observation
from pixel_env.wrappers.text_action import TextAction

from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory, TrajectoryBuilder
from .refused_calls import is_refused

KINDS = (
    "single_pass",
    "recrop",
    "recrop_twice",
    "zoom_further",
    "retry",
    "select_frames",
    "reselect_frames",
    "retry_frames",
    "text_only",
)
"""Names of the kinds of demonstration, in the order of tables."""

CACHE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One executed episode that a policy can learn from.

    Attributes:
        number: which one of its set, from 0.
        kind: one of `KINDS`.
        sample_id: the sample's stable name.
        category: the sample's category.
        messages: what the policy writes, turn by turn; the last one answers.
        imitate: for each message whether it is to be learnt; a deliberately wrong call is not, be
            it executed or refused.
        score: the grade of the answer, in [0, 1].
        dialect: name of the dialect of the messages.
        env_id: the environment's id; "" for one that was not made by `gym.make`.
        env_kwargs: its arguments.
        observations: what came before each message; empty where only the text is at hand (see
            `with_observations`). Neither saved nor compared.
        origin: file and line that it was read from; "" where it was not. As `observations`.
    """

    number: int
    kind: str
    sample_id: str
    category: str
    messages: tuple[str, ...]
    imitate: tuple[bool, ...]
    score: float
    dialect: str = "pixel-reasoner"
    env_id: str = ""
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    observations: tuple[Observation, ...] = field(default=(), compare=False, repr=False)
    origin: str = field(default="", compare=False, repr=False)

    @property
    def origin_name(self) -> str:
        """What it is called in errors: where it was read from, else its number."""
        return f"demonstration {self.number}" + (f" ({self.origin})" if self.origin else "")


_SAVED = [each.name for each in fields(Demonstration) if each.compare]


def encode(demonstration: Demonstration, encoder: Encoder) -> TokenTrajectory:
    """Turns a demonstration into tokens; only messages to imitate are trainable.

    Raises:
        ConfigError: it has no observations, or the encoder's dialect is not its own.
    """
    if len(demonstration.observations) != len(demonstration.messages):
        raise ConfigError(
            f"{demonstration.origin_name} has no observations: `with_observations` gives them"
        )
    if encoder.dialect.name != demonstration.dialect:
        raise ConfigError(
            f"expected an encoder of the dialect {demonstration.dialect!r}, "
            f"got {encoder.dialect.name!r}"
        )
    record = TrajectoryBuilder()
    for turn, observation in enumerate(demonstration.observations):
        record.add_prompt(encoder.follow(observation) if turn else encoder.open(observation))
        record.add_response(
            encoder.message_ids(demonstration.messages[turn]), trainable=demonstration.imitate[turn]
        )
    return record.build(
        reward=demonstration.score,
        reward_terms={"score": demonstration.score},
        sample_id=demonstration.sample_id,
        group=demonstration.number,
        info={"kind": demonstration.kind, "correct": True, "score": demonstration.score},
    )


class EncodedDemonstrations(Sequence[TokenTrajectory]):
    """Demonstrations as trajectories, encoded when first asked for.

    Encoded pictures take eight times the memory of their pixels, so only so many stay encoded;
    the rest are encoded again each time.
    """

    def __init__(
        self,
        demonstrations: Sequence[Demonstration],
        encoder: Encoder,
        cache_bytes: int = CACHE_BYTES,
        env: gym.Env[Any, Any] | None = None,
    ) -> None:
        """Takes the demonstrations.

        Args:
            demonstrations: with observations, unless there is an environment.
            encoder: of their dialect.
            cache_bytes: how many bytes of patches are kept.
            env: where those without observations are executed again, whenever they are encoded.
        """
        self._env = env
        self._demonstrations = demonstrations
        self._encoder = encoder
        self._free = cache_bytes
        self._kept: dict[int, TokenTrajectory] = {}

    def __len__(self) -> int:
        return len(self._demonstrations)

    @overload
    def __getitem__(self, index: int) -> TokenTrajectory: ...
    @overload
    def __getitem__(self, index: slice) -> list[TokenTrajectory]: ...
    def __getitem__(self, index: int | slice) -> TokenTrajectory | list[TokenTrajectory]:
        """Returns the trajectory of a demonstration."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index in self._kept:
            return self._kept[index]
        demonstration = self._demonstrations[index]
        if self._env is not None and not demonstration.observations:
            demonstration = with_observations(demonstration, self._env)
        trajectory = encode(demonstration, self._encoder)
        size = sum(image.patches.nbytes for image in trajectory.images)
        if size <= self._free:
            self._free -= size
            self._kept[index] = trajectory
        return trajectory


def with_observations(demonstration: Demonstration, env: gym.Env[Any, Any]) -> Demonstration:
    """Executes a demonstration again and returns it with its observations.

    Args:
        demonstration: made in an environment of the same id and arguments.
        env: an environment with structured actions.

    Raises:
        DataError: the task set has no such sample, the environment refuses a call (or executes one
            that it refused when the demonstration was made), or the answer's score is another one.
    """
    text_env = TextAction(env, demonstration.dialect)
    try:
        observation, info = text_env.reset(options={"id": demonstration.sample_id})
    except ConfigError as unknown:  # the task set holds no such sample
        raise DataError(
            f"{demonstration.origin_name} can't be played again: {unknown}"
        ) from unknown
    observations: list[Observation] = []
    for turn, message in enumerate(demonstration.messages):
        observations.append(observation)
        observation, _, _, _, info = text_env.step(message)
        is_as_made = ("operation_error" in info) == is_refused(demonstration.kind, turn)
        if not is_as_made or "env_error" in info:
            fault = info.get("env_error") or observation["feedback"] or "the episode ended"
            raise DataError(f"{demonstration.origin_name} can't be played again: {fault}")
    score = info.get("grade", {}).get("score")
    if score != demonstration.score:
        raise DataError(
            f"{demonstration.origin_name} scored {demonstration.score}, now it scores {score}"
        )
    return replace(demonstration, observations=tuple(observations))


def save(path: Path, demonstrations: Iterable[Demonstration], append: bool = False) -> None:
    """Writes one line of JSON a demonstration, without observations.

    A file is replaced at once, so that a kill loses nothing of the old one; `append` adds to it.
    """
    lines = (json.dumps({name: getattr(each, name) for name in _SAVED}) for each in demonstrations)
    if append:
        for line in lines:
            append_line(path, line)
        return
    with whole_file(path) as stream:
        for line in lines:
            stream.write(f"{line}\n".encode("ascii"))


def load(path: Path, is_whole: bool = False) -> list[Demonstration]:
    """Reads a file that `save` wrote.

    Args:
        path: the file.
        is_whole: whether a last line without an end is a fault. Else it is dropped: a run that was
            killed left it, and makes that demonstration again.

    Raises:
        DataError: the file or a line can't be read; it names file and line.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as fault:
        raise DataError(f"{path}: can't be read ({fault})") from fault
    if is_whole and lines[-1]:
        raise DataError(
            f"{path}, line {len(lines)}: the file ends in the middle of a line; whatever was "
            "writing it was stopped and has to go on"
        )
    return [_read(line, f"{path}, line {n}") for n, line in enumerate(lines[:-1], start=1)]


def make_missing(
    make: Callable[[int], Demonstration | None], n: int, path: Path, note: Callable[[int], None]
) -> list[Demonstration]:
    """Makes what a file doesn't hold yet, and writes each one as soon as it is made.

    Pictures would take gigabytes, so no demonstration keeps its observations; `with_observations`
    gives them.

    Args:
        make: makes one by its number, from 0; None where it can't be made.
        n: how many numbers there are.
        path: the file; of what a killed run left, half a line is made again.
        note: called with how many numbers are done, for a progress bar.

    Returns:
        All that the file then holds, by number.

    Raises:
        DataError: a line of the file can't be read.
    """
    kept = {each.number: each for each in (load(path) if path.exists() else [])}
    save(path, kept.values())
    note(len(kept))
    for done, number in enumerate((each for each in range(n) if each not in kept), len(kept) + 1):
        made = make(number)
        if made is not None:
            save(path, [made], append=True)
            kept[number] = replace(made, observations=())
        note(done)
    return [kept[number] for number in sorted(kept)]


def _read(line: bytes, origin: str) -> Demonstration:
    values = parsed(line, origin)
    if isinstance(values, dict) and (unknown := sorted(set(values) - set(_SAVED))):
        raise DataError(f"{origin}: no demonstration (it has {unknown[0]!r})")
    made = replace(record(Demonstration, values, origin), origin=origin)
    if len(made.messages) != len(made.imitate) or not any(made.imitate):
        raise DataError(
            f"{origin}: expected messages, one or more of them to imitate, and as many marks as "
            f"messages, got {len(made.messages)} and {list(made.imitate)!r:.60}"
        )
    if made.number < 0 or not all(map(_is_text, (made.sample_id, *made.messages))):
        raise DataError(f"{origin}: expected a number from 0, and texts without lone surrogates")
    return made


def _is_text(value: str) -> bool:
    """Whether a text can be written as UTF-8, as a tokenizer takes it."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
