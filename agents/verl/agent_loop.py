"""verl's agent loop `pixel_reason`: an episode of ours for each row, tokens by verl's own builder.

verl loads it by a YAML file (`rollout.agent.agent_loop_config_path`; `docs/train_with_verl.md`).
Written for verl 0.9.1 and its `trainer.use_v1=True`, where an agent loop that returns an empty list
leaves its rollout out of the batch.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import (
    AgentLoopBase,
    AgentLoopMetrics,
    AgentLoopOutput,
    register,
)
from verl.utils.profiler import simple_timer
from verl.utils.tokenizer import get_processor_token_id

from pixel_env.chat.episode import ChatEpisode, EpisodeFacts
from pixel_env.chat.parts import AsPillow
from pixel_env.curiosity.bonus import CuriosityConfig
from pixel_env.errors import ConfigError

from .groups import Groups, Pay

_IDLE: defaultdict[tuple[str, str, str], list[ChatEpisode]] = defaultdict(list)
"""Environments of this process that no rollout uses, by id, arguments and dialect."""


@cache
def _groups(preset: str, counts: str, overrides: str) -> Groups:
    """Returns the groups of this process: verl makes one agent loop for each rollout of them."""
    return Groups(CuriosityConfig.of(preset, **json.loads(overrides)), counts)


@dataclass(slots=True)
class _Tokens:
    """What a rollout's tokens are so far."""

    ids: list[int]
    pictures: list[Any]
    n_prompt: int
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    cut: bool = False
    overlong: bool = False


@register("pixel_reason")
class PixelReasonLoop(AgentLoopBase):  # type: ignore[misc]  # verl isn't installed here
    """Plays the episode that a row of `pixel-reason rows` names."""

    def __init__(
        self,
        *args: Any,
        preset: str = "paper",
        counts: Literal["calls", "executed"] = "calls",
        curiosity: Mapping[str, float] | None = None,
        max_new_tokens: int = 2048,
        **kwargs: Any,
    ) -> None:
        """Takes what verl hands every agent loop, and our own settings from the YAML file.

        Args:
            *args: verl's.
            preset: "paper" or "released", see `curiosity_bonus`.
            counts: what makes a rollout count in RaPR: any "calls", or "executed" operations.
            curiosity: fields of `CuriosityConfig` other than the preset's.
            max_new_tokens: the longest message, in tokens.
            **kwargs: verl's.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        super().__init__(*args, **kwargs)
        self.groups = _groups(preset, counts, json.dumps(dict(curiosity or {}), sort_keys=True))
        self.max_new_tokens = max_new_tokens

    async def run(
        self, sampling_params: dict[str, Any], **row: Any
    ) -> AgentLoopOutput | list[AgentLoopOutput]:
        """Plays one rollout, and waits for those of its group.

        Args:
            sampling_params: verl's.
            **row: the row, with verl's `uid` of the group.

        Returns:
            The rollout; nothing where it can't be learnt from: a fault of the data, or more tokens
            than `rollout.response_length`.

        Raises:
            ConfigError: the row names no environment of ours, or the processor resized a picture.
        """
        key = (row["env_id"], row["env_args"], row["dialect"])
        with self.groups.joined(row["uid"]) as place:  # before anything is awaited
            episode = await self._in_thread(self._begun, key, row)
            tokens = None if episode.ended else await self._play(episode, sampling_params)
            facts, n_messages = episode.facts, len(episode.messages)
            _IDLE[key].append(episode)  # one that failed on the way isn't used again
            pay = await place.pay(facts)
        if tokens is None or tokens.overlong or facts.fault:
            return []
        return self._output(tokens, facts, pay, n_messages)

    def _begun(self, key: tuple[str, str, str], row: Mapping[str, Any]) -> ChatEpisode:
        """Begins the episode of a row, in an environment that is free or else in a new one."""
        env_id, env_args, dialect = key
        try:
            episode = _IDLE[key].pop()
        except IndexError:
            episode = ChatEpisode(env_id, json.loads(env_args), dialect, "none", AsPillow())
        episode.begin(index=int(row["sample_index"]))
        prompt = list(row["raw_prompt"])
        if prompt and prompt[0]["role"] == "system":  # as the row was written, full or brief
            episode.messages.insert(0, dict(prompt[0]))
        return episode

    async def _play(self, episode: ChatEpisode, sampling_params: Mapping[str, Any]) -> _Tokens:
        pictures = _pictures(episode.messages)
        ids = await self.ct_build_initial_tokens(list(episode.messages), images=pictures)
        tokens = _Tokens(ids, pictures, len(ids))
        request = uuid4().hex  # turns of one episode go to one server, for its cache of prefixes
        while True:
            message = await self._speak(tokens, sampling_params, request)
            n_messages = len(episode.messages)
            with simple_timer("tool_calls", tokens.times):
                await self._in_thread(episode.respond, message)
            if episode.ended or tokens.overlong:
                self._check_pictures(tokens)
                return tokens
            if tokens.cut:
                self._close(tokens)
            before, now = episode.messages[: n_messages + 1], list(episode.messages)
            merged, tokens.mask, tokens.logprobs = await self.ct_merge_context_msg(
                before, now, tokens.ids, tokens.mask, tokens.logprobs
            )
            tokens.ids = merged.token_ids
            tokens.pictures += _pictures(now[n_messages + 1 :])
            tokens.overlong = len(tokens.mask) >= self.rollout_config.response_length
            if tokens.overlong:
                return tokens

    async def _speak(
        self, tokens: _Tokens, sampling_params: Mapping[str, Any], request: str
    ) -> str:
        """Samples a message, and appends its tokens."""
        room = self.rollout_config.response_length - len(tokens.mask)
        limit = min(self.max_new_tokens, room)
        with simple_timer("generate_sequences", tokens.times):
            out = await self.server_manager.generate(
                request,
                prompt_ids=tokens.ids,
                sampling_params={**sampling_params, "max_tokens": limit},
                image_data=tokens.pictures,
                mm_processor_kwargs=self._get_mm_processor_kwargs(),
            )
        sampled = list(out.token_ids)
        if tokens.logprobs is None and out.log_probs:
            tokens.logprobs = []
        merged, tokens.mask, tokens.logprobs = await self.ct_merge_assistant_token(
            tokens.ids, sampled, tokens.mask, tokens.logprobs, assistant_logprobs=out.log_probs
        )
        tokens.ids = merged.token_ids
        _note(tokens.facts, out.extra_fields)
        tokens.cut = not sampled or sampled[-1] != self.tokenizer.eos_token_id
        tokens.overlong = tokens.cut and limit == room  # what comes after doesn't fit
        if not tokens.cut:
            del sampled[-1]
        text: str = self.tokenizer.decode(sampled, clean_up_tokenization_spaces=False)
        return text

    def _close(self, tokens: _Tokens) -> None:
        """Closes a message that was cut; the policy didn't sample that token."""
        tokens.ids = [*tokens.ids, self.tokenizer.eos_token_id]
        tokens.mask = [*tokens.mask, 0]
        if tokens.logprobs is not None:
            tokens.logprobs = [*tokens.logprobs, 0.0]

    def _check_pictures(self, tokens: _Tokens) -> None:
        """Checks that each picture takes the tokens of its own size.

        Raises:
            ConfigError: it doesn't: the boxes that a policy writes would be of another picture.
        """
        images = self.processor.image_processor
        side = images.patch_size * images.merge_size
        sizes = [size for each in tokens.pictures for size in (each.width, each.height)]
        expected = sum((each.width // side) * (each.height // side) for each in tokens.pictures)
        got = tokens.ids.count(get_processor_token_id(self.processor, "image"))
        if got != expected or any(size % side for size in sizes):
            raise ConfigError(
                f"expected {expected} image tokens of {side} x {side} px for the pictures as they "
                f"were shown, got {got}: the processor resized one; make the rows with --env-arg "
                f"side_multiple={side}, and see that the processor's limits of size hold them"
            )

    def _output(
        self, tokens: _Tokens, facts: EpisodeFacts, pay: Pay, n_messages: int
    ) -> AgentLoopOutput:
        told = {"acc": facts.score, "curiosity": pay.bonus, "penalty": pay.penalty}
        told |= {"rapr": pay.rapr, "n_calls": facts.n_calls, "n_operations": facts.n_operations}
        return AgentLoopOutput(
            prompt_ids=tokens.ids[: tokens.n_prompt],
            response_ids=tokens.ids[tokens.n_prompt :],
            response_mask=tokens.mask,
            response_logprobs=tokens.logprobs,
            multi_modal_data={"images": tokens.pictures},
            mm_processor_kwargs=self._get_mm_processor_kwargs(),
            reward_score=pay.reward,
            num_turns=n_messages,
            metrics=AgentLoopMetrics(**tokens.times),
            extra_fields={**tokens.facts, "reward_extra_info": told},
        )

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs what decodes pictures beside the event loop, which other rollouts need."""
        return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def _pictures(messages: list[dict[str, Any]]) -> list[Any]:
    """Returns the pictures of messages, in reading order."""
    contents = [each["content"] for each in messages]
    parts = [part for each in contents if not isinstance(each, str) for part in each]
    return [part["image"] for part in parts if part["type"] == "image"]


def _note(facts: dict[str, Any], extra: Mapping[str, Any]) -> None:
    """Keeps what a server says of a message: the weights it was sampled with, oldest and newest."""
    oldest = facts.get("min_global_steps")
    facts.update(extra)
    if oldest is not None:
        facts["min_global_steps"] = oldest
