"""Takes what a model wrote, whatever it is, and turns it into an action."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..dialects import Dialect, Place, Reading, Shown, get_dialect
from ..dialects.grammar.calls import MAX_MESSAGE_CHARS
from ..errors import OperationError
from ..spaces import UnicodeText
from ..types import Action, Info, Observation


class TextAction(gym.Wrapper[Observation, str, Observation, Action], RecordConstructorArgs):
    r"""Actions are messages of a model, read by a dialect.

    A message that can't be read spends the turn: the next observation's `feedback` explains in one
    sentence what was wrong. `step` raises for no text, no bytes and no other object. `feedback` is
    in the dialect's own terms: its coordinates, its names of pictures.

    `info` gains `message`, the text as it was read: bytes are taken for UTF-8, and what is no valid
    Unicode becomes a replacement sign. Where it holds a zoom, `info` gains `coordinate_frame`
    ("fractions", "thousandths" or "pixels") and `written_box`, its four numbers in that frame; and
    `clamped` tells whether numbers were clamped, by the dialect or by the environment.

    Attributes:
        dialect: the dialect in use; `dialect.tell(observation)` makes the message to the model.

    >>> import gymnasium as gym, pixel_env
    >>> env = TextAction(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> observation, info = env.reset(seed=1)
    >>> call = '{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}'
    >>> observation, *_, info = env.step(f"<tool_call>{call}</tool_call>")
    >>> info["operation"], len(observation["images"])
    ('zoom_in', 1)
    >>> env.step("The answer is (A).")[-1]["operation_error"]
    'no_answer'
    """

    def __init__(
        self,
        env: gym.Env[Observation, Action],
        dialect: str | Dialect = "pixel-reasoner",
    ) -> None:
        """Wraps an environment.

        Args:
            env: an environment with the structured actions of `PixelReasoningEnv`.
            dialect: a dialect or the name of one.

        Raises:
            ConfigError: no dialect has that name.
        """
        RecordConstructorArgs.__init__(self, dialect=dialect)
        super().__init__(env)  # type: ignore[arg-type]  # gymnasium types it as the outer one
        self.dialect = get_dialect(dialect)
        self.action_space = UnicodeText(MAX_MESSAGE_CHARS)
        self._shown = Shown(sizes=())

    @property
    def shown(self) -> Shown:
        """What this episode has shown so far, as `Dialect.parse` and `render` need it."""
        return self._shown

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._shown = Shown(sizes=())
        self._note(observation, info)
        return observation, info

    def step(self, action: str) -> tuple[Observation, float, bool, bool, Info]:
        """Takes one message of a model; see `PixelReasoningEnv.step` for what it returns."""
        return self._step(_as_text(action))

    def _step(
        self, message: str | None, refusal: OperationError | None = None
    ) -> tuple[Observation, float, bool, bool, Info]:
        """Takes a message, or the reason why there is none."""
        reading = refusal or self._read(message)
        observation, reward, terminated, truncated, info = self.env.step(
            reading.action if isinstance(reading, Reading) else reading  # type: ignore[arg-type]
        )
        self._note(observation, info)
        info["message"] = "" if message is None else message
        if isinstance(reading, Reading) and reading.written_box is not None:
            info["coordinate_frame"] = self.dialect.coordinate_frame
            info["written_box"] = reading.written_box
            if "clamped" in info:
                info["clamped"] = info["clamped"] or reading.clamped
        observation = observation.copy()
        observation["feedback"] = self.dialect.feedback(observation, info, self._shown)
        return observation, float(reward), terminated, truncated, info

    def _read(self, message: str | None) -> Reading | OperationError:
        """Reads the message, or returns the refusal that the environment tells the model."""
        if message is None:
            return OperationError("malformed", "A message must be text.")
        try:
            return self.dialect.read(message, self._shown)
        except OperationError as refusal:
            return refusal

    def _note(self, observation: Observation, info: Info) -> None:
        """Adds the views of an observation to what was shown."""
        sizes = tuple((image.shape[1], image.shape[0]) for image in observation["images"])
        before = self._shown.sizes[: observation["first_image"] - 1]
        places = self._shown.places
        if "frames" in info:
            places += tuple(Place(number) for number in info["frames"])
        elif "executed_box" in info:
            source = self._shown.place(info["target_image"]).source
            places += (Place(source, info["executed_box"]),)
        elif "views_added" in info:  # pictures that an operation made are sources of their own
            places += tuple(Place(number) for number in info["views_added"])
        elif not places:  # the first views are whole pictures, or whole frames
            places = tuple(Place(number) for number in range(1, len(sizes) + 1))
        self._shown = Shown(before + sizes, observation["n_frames"], places)


def _as_text(message: object) -> str | None:
    """Returns a message as valid Unicode, or None for what is no text."""
    if isinstance(message, str):
        return message.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(message, bytes | bytearray):
        return message.decode("utf-8", errors="replace")
    return None
