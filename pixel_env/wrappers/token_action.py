"""Takes the token ids that a model sampled, whatever they are, and turns them into an action."""

from __future__ import annotations

from collections.abc import Collection, Sized
from typing import Any, Protocol

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..dialects import Dialect
from ..dialects.grammar.calls import MAX_MESSAGE_CHARS
from ..errors import ConfigError, OperationError
from ..reading import described, whole_number
from ..spaces import TokenIds
from ..types import Action, Info, Observation
from .text_action import TextAction


class Tokenizer(Protocol):
    """What is needed of a tokenizer; those of `transformers` and `tokenizers` have it."""

    def decode(self, ids: list[int], /) -> str:
        """Returns the text of token ids."""


class TokenAction(TextAction):
    """Actions are token ids: a list, a tuple, an array or a tensor of one dimension.

    They are decoded and read as `TextAction` reads a text. What are no ids of the tokenizer spends
    the turn, and `feedback` explains it; `step` raises for none. `info["message"]` is the text.

    >>> import gymnasium as gym, pixel_env
    >>> class Characters:
    ...     def __len__(self):
    ...         return 128
    ...     def decode(self, ids):
    ...         return "".join(chr(number) for number in ids)
    >>> env = TokenAction(gym.make("PixelReason-SyntheticSearch-v0"), Characters())
    >>> observation, info = env.reset(seed=1)
    >>> call = '{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}'
    >>> *_, info = env.step([ord(sign) for sign in f"<tool_call>{call}</tool_call>"])
    >>> info["operation"]
    'zoom_in'
    >>> env.step([72, -1])[0]["feedback"]
    'A message must be token ids, whole numbers from 0 to 127, got -1.'
    """

    def __init__(
        self,
        env: gym.Env[Observation, Action],
        tokenizer: Tokenizer,
        dialect: str | Dialect = "pixel-reasoner",
        n_ids: int | None = None,
        end_ids: Collection[int] | None = None,
    ) -> None:
        """Wraps an environment.

        Args:
            env: an environment with the structured actions of `PixelReasoningEnv`.
            tokenizer: decodes ids.
            dialect: a dialect or the name of one.
            n_ids: how many ids there are; by default the tokenizer's length.
            end_ids: ids that end a message: it is cut before the first of them. By default the
                tokenizer's `eos_token_id`, where it has one.

        Raises:
            ConfigError: no dialect has that name, or the number of ids is unknown or under 1.
        """
        RecordConstructorArgs.__init__(
            self,
            _disable_deepcopy=True,  # tokenizers are large, or can't be copied
            tokenizer=tokenizer,
            dialect=dialect,
            n_ids=n_ids,
            end_ids=end_ids,
        )
        super().__init__(env, dialect)
        if n_ids is None and isinstance(tokenizer, Sized):
            n_ids = len(tokenizer)
        if n_ids is None or n_ids < 1:
            raise ConfigError(f"expected n_ids >= 1, or a tokenizer with a length; got {n_ids}")
        end_id = getattr(tokenizer, "eos_token_id", None)
        default = () if end_id is None else (int(end_id),)
        self._tokenizer = tokenizer
        self._n_ids = n_ids
        self._end_ids = frozenset(default if end_ids is None else end_ids)
        self.action_space = TokenIds(MAX_MESSAGE_CHARS, n_ids)  # type: ignore[assignment]

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Takes the ids of one message; see `PixelReasoningEnv.step` for what it returns."""
        try:
            return super().step(self._decode(self._ids(action)))
        except OperationError as refusal:
            return self._step(None, refusal)

    def _ids(self, given: Any) -> list[int]:
        """Reads the ids up to the one that ends the message."""
        allowed = f"token ids, whole numbers from 0 to {self._n_ids - 1}"
        listed = given if isinstance(given, list | tuple) else _listed(given)
        if listed is None:
            raise OperationError(
                "malformed", f"A message must be {allowed}, got {described(given)}."
            )
        if len(listed) > MAX_MESSAGE_CHARS:
            raise OperationError(
                "malformed", f"A message may hold {MAX_MESSAGE_CHARS} tokens, got {len(listed)}."
            )
        ids: list[int] = []
        for entry in listed:
            number = whole_number(entry)
            if number is None or not 0 <= number < self._n_ids:
                raise OperationError(
                    "malformed", f"A message must be {allowed}, got {described(entry)}."
                )
            if number in self._end_ids:
                break
            ids.append(number)
        return ids

    def _decode(self, ids: list[int]) -> str:
        """Decodes ids; a fault of the tokenizer becomes feedback to the policy that gave them."""
        try:
            return self._tokenizer.decode(ids)
        except Exception as fault:  # of the tokenizer, whose errors may be of any class
            raise OperationError(
                "malformed", f"These {len(ids)} token ids can't be decoded."
            ) from fault


def _listed(given: Any) -> list[Any] | None:
    """Returns the entries of an array or a tensor; None for what is neither."""
    try:
        listed = given.tolist()
    except Exception:  # of a foreign class, whatever it is
        return None
    return listed if isinstance(listed, list) else None
