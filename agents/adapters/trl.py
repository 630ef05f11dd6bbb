"""TRL: the environment for `GRPOTrainer(environment_factory=...)`, its tools and its rewards.

TRL makes every public method of the class a tool, so the class holds an episode and is no
environment itself. A message with a call becomes a call of a tool here, which is written again in
the dialect: the dialect reads it, and refuses it, as everywhere. A message without a call ends
TRL's rollout, so it is the answer; the reward functions hand it to the environment, and grade.

TRL calls reward functions with the rollouts of one process. What returns None in all of them has no
advantage and is left out of its group's mean and deviation: so a fault of the data returns None in
both functions here.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pixel_env.chat import AsPillow, ChatEpisode, EpisodeFacts, message_parts
from pixel_env.chat.parts import ChatPart
from pixel_env.curiosity.bonus import CuriosityConfig
from pixel_env.curiosity.group_rewards import group_rewards
from pixel_env.dialects import get_dialect
from pixel_env.dialects.grammar.call_dialect import CallDialect
from pixel_env.errors import ConfigError

from . import episode as turns

Message = Mapping[str, Any]
Reward = Callable[..., list[float | None]]
Tool = Callable[..., list[ChatPart]]

_TYPES = {"integer": int, "number": float, "string": str, "boolean": bool}


class TRLEnvironment:
    """One rollout at a time; `environment_class` adds the tools of a dialect.

    Attributes:
        episode: what was begun last; None before the first.
        sample: environment, arguments and number of its sample.
        facts: of the episode once TRL has ended the rollout; None before.
    """

    _dialect: CallDialect
    _copies: turns.EnvironmentCopies

    def __init__(self) -> None:
        self._episodes: dict[tuple[str, str], ChatEpisode] = {}
        self.episode: ChatEpisode | None = None
        self.sample: tuple[str, str, int] | None = None
        self.facts: EpisodeFacts | None = None

    def reset(self, **row: Any) -> list[ChatPart]:
        """Begins the episode of a row; returns what TRL adds to the last message of the prompt.

        Args:
            **row: a line of `pixel-reason rows`, as `dataset_row` gives it.

        Raises:
            ConfigError: the row is of another dialect, or of no environment.
        """
        if row["dialect"] != self._dialect.name:
            raise ConfigError(f"expected rows of {self._dialect.name}, got {row['dialect']!r}")
        key = row["env_id"], row["env_args"]
        if key not in self._episodes:
            self._episodes[key] = ChatEpisode(
                row["env_id"],
                json.loads(row["env_args"]),
                self._dialect.name,
                system="none",
                picture=AsPillow(),
                make=self._copies,
            )
        self.episode, self.sample = self._episodes[key], (*key, row["sample_index"])
        self.facts = None
        messages = turns.begin(self.episode, row["sample_index"])
        if not messages and self.episode.observation is not None:
            # TRL fails on a batch where only some prompts have a picture, so a sample that can't be
            # read shows the grey one that stands in its observation.
            return message_parts(self._dialect, self.episode.observation, AsPillow())
        return _parts(messages)


def environment_class(dialect: str = "pixel-reasoner") -> type[TRLEnvironment]:
    """Returns the class for `environment_factory`, with a tool for each registered operation.

    Raises:
        ConfigError: the dialect doesn't write calls as JSON in `<tool_call>`, which is what the
            chat template's parser reads.

    >>> made = environment_class()
    >>> print(made.crop_image_normalized.__doc__.splitlines()[0])
    Shows one region of a picture enlarged.
    """
    spoken = get_dialect(dialect)
    if not isinstance(spoken, CallDialect) or spoken.form != CallDialect.form:
        raise ConfigError(f"expected a dialect with calls as JSON in <tool_call>, got {dialect!r}")
    tools = [_tool(schema["function"]) for schema in spoken.tool_schemas()]
    members = {tool.__name__: tool for tool in tools}
    shared = {"_dialect": spoken, "_copies": turns.EnvironmentCopies()}
    return type("PixelReason", (TRLEnvironment,), {**members, **shared})


def dataset_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a line of `pixel-reason rows` as a line of TRL's dataset.

    The user's message is left empty: `reset` returns it, with its pictures.
    """
    system = [message for message in row["prompt"] if message["role"] == "system"]
    return {**row, "prompt": [*system, {"role": "user", "content": ""}]}


def score(
    environments: Sequence[TRLEnvironment], completions: Sequence[Sequence[Message]], **_: Any
) -> list[float | None]:
    """Grades each rollout's answer: a function for `reward_funcs`."""
    facts = map(_finished, environments, completions)
    return [None if each.fault else each.score for each in facts]


def curiosity(num_generations: int = 8, preset: str = "paper", **overrides: float | None) -> Reward:
    """Returns a function for `reward_funcs` that pays the paper's bonus to each group.

    Args:
        num_generations: rollouts in a group, as in TRL's config.
        preset: "paper" or "released", see `curiosity_bonus`.
        **overrides: settings of `CuriosityConfig` other than the preset's.

    Raises:
        ConfigError: a setting is unknown or out of range; the function: a process has part of a
            group, whose share of users it can't know.
    """
    config = CuriosityConfig.of(preset, **overrides)

    def curiosity(
        environments: Sequence[TRLEnvironment], completions: Sequence[Sequence[Message]], **_: Any
    ) -> list[float | None]:
        facts = [_finished(*pair) for pair in zip(environments, completions, strict=True)]
        paid: list[float | None] = []
        for first in range(0, len(facts), num_generations):
            group = facts[first : first + num_generations]
            samples = {each.sample for each in environments[first : first + num_generations]}
            if len(group) < num_generations or len(samples) > 1:
                raise ConfigError(
                    f"expected whole groups of {num_generations} rollouts in each process: make "
                    "per_device_train_batch_size x steps_per_generation a multiple of it"
                )
            paid += _bonuses(group, config)
        return paid

    return curiosity


def _bonuses(group: Sequence[EpisodeFacts], config: CuriosityConfig) -> list[float | None]:
    """Returns bonus and penalty of a group's rollouts; None where the data was at fault."""
    rewards = group_rewards(
        [0.0] * len(group),
        n_calls=[each.n_calls for each in group],
        faulty=[bool(each.fault) for each in group],
        video=[each.video for each in group],
        config=config,
    ).rewards
    pairs = zip(group, rewards, strict=True)
    return [None if each.fault else float(reward) for each, reward in pairs]


def _finished(environment: TRLEnvironment, completion: Sequence[Message]) -> EpisodeFacts:
    """Hands the last message to the episode, once, if it goes on; returns the facts."""
    if environment.episode is None:
        raise ConfigError("expected environments that were reset")
    if environment.facts is None:
        last = next((each for each in reversed(completion) if each["role"] == "assistant"), {})
        if last.get("content") and not last.get("tool_calls"):
            turns.respond(environment.episode, str(last["content"]))
        environment.facts = environment.episode.facts
    return environment.facts


def _tool(function: Mapping[str, Any]) -> Tool:
    """Makes a method that calls an operation; its signature and docstring are its schema."""
    name, parameters = function["name"], function["parameters"]
    properties = parameters["properties"]

    def tool(self: TRLEnvironment, /, **arguments: Any) -> list[ChatPart]:
        if self.episode is None:
            raise ConfigError("expected a call of reset before a tool's")
        texts = {key: json.dumps(value) for key, value in arguments.items()}
        return _parts(turns.respond(self.episode, self._dialect.write_call(name, texts)))

    kinds = {key: _kind_of(schema) for key, schema in properties.items()}
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    given = [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=kinds[key],
            default=inspect.Parameter.empty
            if key in parameters["required"]
            else properties[key].get("default"),
        )
        for key in properties
    ]
    tool.__name__, tool.__qualname__ = name, f"PixelReason.{name}"
    tool.__annotations__ = {**kinds, "return": list}
    tool.__signature__ = inspect.Signature([own, *given])  # type: ignore[attr-defined]
    lines = [f"    {key}: {schema.get('description', key)}" for key, schema in properties.items()]
    tool.__doc__ = "\n".join([function["description"], "", "Args:", *lines])
    return tool


def _parts(messages: Sequence[Message]) -> list[ChatPart]:
    """Returns the parts of messages, which TRL puts into one of its own."""
    return [part for message in messages for part in message["content"]]


def _kind_of(schema: Mapping[str, Any]) -> Any:
    """Returns the annotation of a JSON schema."""
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if schema.get("type") == "array":
        return list[_kind_of(schema.get("items", {}))]  # type: ignore[misc]
    return _TYPES.get(schema.get("type", ""), Any)
