"""What lies between an evaluation that asks for actions and the person who gives them.

An evaluation may ask for several lanes at once. A person plays one episode to its end, then the
next: what the others ask waits.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from PIL import Image as PillowImage

from pixel_env.actions import act
from pixel_env.errors import ConfigError, ServiceError
from pixel_env.operations import operations
from pixel_env.types import Action, Observation

OPERATIONS = ("answer", "zoom_in", "select_frames")
"""What a person can do: the operations that the page has controls for."""

MOST_TEXT = 2000
"""Characters of an answer or a thought at most."""


@dataclass(slots=True)
class Played:
    """One lane's episode as a person sees it.

    Attributes:
        number: which episode of the session it is, from 1.
        observations: one for each turn so far.
        views: every view so far by its number, as PNG with its size.
        seconds: how long each action took, from showing to giving.
        thoughts: what the person wrote beside each action.
    """

    number: int
    observations: list[Observation] = field(default_factory=list)
    views: dict[int, tuple[bytes, tuple[int, int]]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)


class Board:
    """The episode that is played now, and what waits; safe to use from several threads."""

    def __init__(self) -> None:
        """Begins without an episode."""
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, Future[Action]]] = deque()
        self._lanes: dict[int, Played] = {}
        self._playing: int | None = None
        self._shown_at = 0.0
        self._version = self._n_begun = 0
        self._results: list[tuple[bool, float]] = []
        self._n_episodes: int | None = None
        self._is_over = False

    def begin(self, lane: int) -> None:
        """Starts an episode in a lane, and forgets the last one there."""
        with self._changed:
            self._n_begun += 1
            self._lanes[lane] = Played(self._n_begun)

    def ask(self, observation: Observation, lane: int) -> Future[Action]:
        """Shows a turn, when it is its turn, and gives the action to come."""
        asked: Future[Action] = Future()
        pictures = [(_png(image), image.shape[1::-1]) for image in observation["images"]]
        with self._changed:
            played = self._lanes[lane]
            played.observations.append(observation)
            played.views |= dict(enumerate(pictures, observation["first_image"]))
            is_played = lane == self._playing
            (self._waiting.appendleft if is_played else self._waiting.append)((lane, asked))
            self._show_next()
        return asked

    def give(self, given: Mapping[str, Any]) -> None:
        """Takes an action from the person.

        Args:
            given: `episode` and `turn` that it is for, `operation`, its arguments by name, and
                perhaps a `thought`.

        Raises:
            ConfigError: it is for another turn than the one that is shown, or no action. What is
                wrong with an argument the environment says, as to every policy.
        """
        with self._changed:
            lane = self._playing
            state = self._state()
            if lane is None or "episode" not in state:
                raise ConfigError("expected an action while a question is shown")
            if (given.get("episode"), given.get("turn")) != (state["episode"], state["turn"]):
                raise ConfigError("expected an action for the turn that is shown")
            action = _action(given)
            played = self._lanes[lane]
            played.seconds.append(time.monotonic() - self._shown_at)
            played.thoughts.append(str(given.get("thought") or "")[:MOST_TEXT])
            _, asked = self._waiting.popleft()
            if given["operation"] == "answer" or state["turns_left"] <= 1:
                self._playing = None
            self._change()
            self._show_next()
        asked.set_result(action)

    def note(self, correct: bool, score: float, n_episodes: int) -> None:
        """Shows how an episode was graded, and how many there are."""
        with self._changed:
            self._results.append((correct, score))
            self._n_episodes = n_episodes
            self._change()

    def finish(self) -> None:
        """Says that there is no further question."""
        with self._changed:
            self._is_over = True
            self._change()

    def stop(self, reason: str) -> None:
        """Gives up: nobody is there to act. What is asked for ends the evaluation."""
        with self._changed:
            self._is_over = True
            asked = [each for _, each in self._waiting]
            self._waiting.clear()
            self._change()
        for each in asked:
            each.set_exception(ServiceError(reason, stops=True))

    def state(self, after: int = -1, timeout_s: float = 0.0) -> dict[str, Any]:
        """Returns what is shown, once it is another than version `after`, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > after, timeout_s)
            return self._state()

    def picture(self, episode: int, number: int) -> bytes | None:
        """Returns a view of the episode that is played, as PNG; None where there is none."""
        with self._changed:
            played = self._lanes.get(-1 if self._playing is None else self._playing)
            if played is None or played.number != episode or number not in played.views:
                return None
            return played.views[number][0]

    def seconds(self, lane: int) -> list[float]:
        """Returns how long each action of a lane's episode took."""
        with self._changed:
            return list(self._lanes[lane].seconds)

    def thought(self, lane: int) -> str:
        """Returns what the person wrote beside the last action of a lane's episode."""
        with self._changed:
            thoughts = self._lanes[lane].thoughts
            return thoughts[-1] if thoughts else ""

    def _show_next(self) -> None:
        """Shows what was asked, unless the episode that is played goes on in a moment."""
        if not self._waiting or self._playing not in (None, self._waiting[0][0]):
            return
        self._playing = self._waiting[0][0]
        self._shown_at = time.monotonic()
        self._change()

    def _change(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "version": self._version,
            "over": self._is_over,
            "results": [{"correct": correct, "score": score} for correct, score in self._results],
            "n_episodes": self._n_episodes,
        }
        is_asked = self._waiting and self._waiting[0][0] == self._playing
        if not is_asked:
            return state
        played = self._lanes[self._waiting[0][0]]
        now = played.observations[-1]
        state |= {name: now[name] for name in ("question", "turn", "turns_left", "n_frames")}
        state |= {
            "episode": played.number,
            "choices": list(now["choices"]),
            "feedback": now["feedback"],
            "first_new": now["first_image"] if now["images"] else None,
            "views": [
                {"n": n, "w": size[0], "h": size[1]} for n, (_, size) in played.views.items()
            ],
        }
        return state


def _action(given: Mapping[str, Any]) -> Action:
    """Builds an action of an operation and its arguments alone.

    Raises:
        ConfigError: there is no such operation here.
    """
    name = given.get("operation")
    if name not in OPERATIONS:
        raise ConfigError(f"expected one of {', '.join(OPERATIONS)}, got {name!r:.40}")
    names = [each.name for each in operations().named(name).arguments]
    values = {each: given[each] for each in names if each in given}
    if isinstance(values.get("text"), str):
        values["text"] = values["text"][:MOST_TEXT]
    try:
        return act(name, **values)
    except (TypeError, ValueError, OverflowError) as fault:
        raise ConfigError(f"expected arguments of {name}: {fault}") from fault


def _png(image: Any) -> bytes:
    encoded = io.BytesIO()
    PillowImage.fromarray(image).save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()
