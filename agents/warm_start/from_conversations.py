"""Demonstrations out of recorded conversations, each executed before it is kept.

Of a recording only what the policy wrote is taken, word for word. Its messages are played through
the environment as a policy's would be, so the pictures and sentences between them are those that
the environment will show, not those that were recorded. What can't be played to a right answer is
left out, and counted by its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import gymnasium as gym

from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.media.geometry import Box
from pixel_env.types import Info, Observation
from pixel_env.wrappers.text_action import TextAction

from .demonstration import Demonstration
from .synthesis import made_by
from .zoom_boxes import contains

IMITATED = ("right", "last-two", "all")
"""Which calls are learnt: all but errors, the last one alone as in the released code, or all."""


class RecordedMessage(Protocol):
    """One message of a recording."""

    @property
    def role(self) -> str:
        """Who wrote it: "system", "user", or "assistant" for the policy."""

    @property
    def parts(self) -> Sequence[object]:
        """Its texts, and whatever else it shows."""


class Recording(Protocol):
    """One recorded conversation."""

    @property
    def messages(self) -> Sequence[RecordedMessage]:
        """All messages, in order."""

    @property
    def origin(self) -> str:
        """File and row."""


@runtime_checkable
class RecordedTask(Protocol):
    """A task set whose samples were recorded with a conversation each."""

    def __len__(self) -> int:
        """Returns how many there are."""

    def conversation(self, index: int) -> Recording:
        """Returns the conversation about a sample, by index from 0; may raise `DataError`."""


class LeftOut(Exception):
    """A recording that no demonstration is made of.

    Attributes:
        reason: why, one of the texts that are counted.
        detail: what was wrong with this one.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ExecutedCall:
    """One executed operation.

    Attributes:
        views: numbers of the views that it showed, from 1.
        target: number of the view that was zoomed into; None for a selection of frames.
        source: which source picture or frame the zoom shows, from 1; 0 for a selection.
        box: what of it, fractions of the source; None for a selection.
    """

    views: tuple[int, ...]
    target: int | None
    source: int
    box: Box | None

    def goes_into(self, earlier: ExecutedCall) -> bool:
        """Returns whether it shows a part of what an earlier call showed."""
        if self.target is not None and self.target in earlier.views:
            return True
        if self.box is None or earlier.box is None or self.source != earlier.source:
            return False
        return self.box != earlier.box and contains(earlier.box, self.box)


class RecordedDemonstrations:
    """Makes demonstrations of the conversations of a task set.

    Recordings don't mark the calls that were meant as errors. One is taken for an error if a later
    call follows that goes into no part of what it showed: the recording went elsewhere. So a coarse
    zoom before a finer one is right, and a crop before another crop of the picture is wrong.

    Attributes:
        dropped: how many recordings were left out, by reason.
        examples: for each reason the first of them, with file and row.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        dialect: str = "pixel-reasoner",
        imitate: str = "right",
    ) -> None:
        """Takes the environment.

        Args:
            env: one with structured actions, over a task set with recorded conversations. It must
                leave options in the order in which the recordings name them by letter.
            dialect: what the recorded messages are written in.
            imitate: one of `IMITATED`.

        Raises:
            ConfigError: the task set holds no conversations, its options are shuffled, or
                `imitate` or the dialect isn't known.
        """
        if imitate not in IMITATED:
            raise unknown_name("imitate", imitate, IMITATED)
        self._env = TextAction(env, dialect)
        self._inner = cast(Any, env.unwrapped)
        self._task = self._inner.task
        if not isinstance(self._task, RecordedTask):
            raise ConfigError(
                "expected a task set of recorded conversations, such as PixelReasonerSFT, "
                f"got {type(self._task).__name__}"
            )
        if self._inner.config.option_order != "as_given":
            raise ConfigError(
                "expected option_order='as_given', for recorded messages name options by letter, "
                f"got {self._inner.config.option_order!r}"
            )
        self.dropped: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._imitate = imitate
        self._id, self._kwargs = made_by(env)

    def __len__(self) -> int:
        """Returns how many recordings there are."""
        return len(self._task)

    def make(self, number: int) -> Demonstration | None:
        """Plays one recording.

        Args:
            number: which one, from 0.

        Returns:
            The demonstration; None where it was left out.
        """
        origin = ""
        try:
            recording = self._task.conversation(number)
            origin = recording.origin
            return self._play(number, _messages_of(recording))
        except LeftOut as fault:
            reason, example = fault.reason, f"{origin}: {fault.detail}".removesuffix(": ")
        except DataError as fault:  # which names file and row
            reason, example = "its row or its files can't be read", str(fault)
        self.dropped[reason] += 1
        self.examples.setdefault(reason, example)
        return None

    def _play(self, number: int, messages: tuple[str, ...]) -> Demonstration:
        observation, info = self._env.reset(options={"index": number})
        _check_files(info)
        self._check_frames()
        observations: list[Observation] = []
        calls: list[ExecutedCall] = []
        for turn, message in enumerate(messages, start=1):
            observations.append(observation)
            observation, _, terminated, truncated, info = self._env.step(message)
            if calls:
                self._check_numbers(info)
            _check_step(message, observation, info)
            if not terminated:
                calls.append(self._call(info))
            if truncated:
                raise LeftOut("it takes more turns than the environment has")
            if terminated != (turn == len(messages)):
                raise LeftOut("its answer is not its last message")
        score = float(info["grade"]["score"])
        if score != 1.0:
            raise LeftOut("its answer is graded wrong", f"{info['answer']!r:.80} scored {score:g}")
        is_wrong = [
            call is not calls[-1] and not any(later.goes_into(call) for later in calls[n:])
            for n, call in enumerate(calls, start=1)
        ]
        return Demonstration(
            number=number,
            kind=_kind(calls, sum(is_wrong)),
            sample_id=info["sample_id"],
            category=info["category"],
            messages=messages,
            imitate=(*self._imitated(is_wrong), True),
            score=score,
            dialect=self._env.dialect.name,
            env_id=self._id,
            env_kwargs=self._kwargs,
            observations=tuple(observations),
        )

    def _check_frames(self) -> None:
        """Checks that a clip's frames have the numbers that they were recorded with."""
        frames = self._inner.history.frame_numbers
        if frames and frames != tuple(range(1, self._inner.sample.media[0].n_frames + 1)):
            raise LeftOut(
                "its clip has more frames than are shown, so its numbers mean others",
                f"{self._inner.sample.media[0].n_frames} frames",
            )

    def _check_numbers(self, info: Info) -> None:
        """Checks that a message after a call means the picture that it meant when recorded.

        Then a clip counted as one picture from the first call on, here each frame counts.
        """
        if self._inner.history.n_frames and info.get("operation") == "zoom_in":
            raise LeftOut("it zooms after a call into a clip, where its numbers mean others")

    def _call(self, info: Info) -> ExecutedCall:
        views = tuple(info["views_added"])
        box = info.get("executed_box")
        if box is None:
            return ExecutedCall(views, None, 0, None)
        return ExecutedCall(
            views, info["target_image"], self._inner.views[views[0] - 1].source, box
        )

    def _imitated(self, is_wrong: Sequence[bool]) -> list[bool]:
        """Returns for each call whether it is to be learnt."""
        if self._imitate == "right":
            return [not wrong for wrong in is_wrong]
        n_masked = max(len(is_wrong) - 1, 0) if self._imitate == "last-two" else 0
        return [n >= n_masked for n in range(len(is_wrong))]


def _messages_of(recording: Recording) -> tuple[str, ...]:
    """Returns the policy's messages, word for word.

    Raises:
        LeftOut: user and policy don't take turns, or the policy shows something.
    """
    messages = [message for message in recording.messages if message.role != "system"]
    roles = [message.role for message in messages]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise LeftOut("user and policy don't take turns", ", ".join(roles))
    written = []
    for message in messages[1::2]:
        texts = [part for part in message.parts if isinstance(part, str)]
        if len(texts) != len(message.parts):
            raise LeftOut("a message of the policy holds a picture")
        written.append("".join(texts))  # as the chat template of the model puts them together
    return tuple(written)


def _check_files(info: Info) -> None:
    if "env_error" in info:
        raise DataError(info["env_error"])


def _check_step(message: str, observation: Observation, info: Info) -> None:
    """Checks that a message was read as it was written, and what it asked for was done."""
    _check_files(info)
    if "operation_error" in info:
        kind = info["operation_error"]
        raise LeftOut(f"the environment refuses a message ({kind})", observation["feedback"])
    if info["message"] != message:
        raise LeftOut("a message is no valid Unicode")


def _kind(calls: Sequence[ExecutedCall], n_wrong: int) -> str:
    """Returns the kind of demonstration that calls make up."""
    if not calls:
        return "text_only"
    if calls[-1].target is None:
        return "select_frames" if len(calls) == 1 else "reselect_frames"
    if n_wrong:
        return "recrop" if n_wrong == 1 else "recrop_twice"
    return "single_pass" if len(calls) == 1 else "zoom_further"
