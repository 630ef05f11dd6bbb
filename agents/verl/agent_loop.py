"""verl's agent loop `pixel_reason`: an episode of ours for each row, tokens by verl's own builder.

verl loads it by a YAML file (`rollout.agent.agent_loop_config_path`; `docs/train_with_verl.md`).
Written for verl 0.9.1 and its `trainer.use_v1=True`, where an agent loop that returns an empty list
leaves its rollout out of the batch.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal
from uuid import uuid4

from verl.experimental.agent_loop import agent_loop as of_verl
from verl.utils.profiler import simple_timer
from verl.utils.tokenizer import get_processor_token_id

from pixel_env.chat.episode import ChatEpisode, EpisodeFacts
from pixel_env.chat.parts import AsPillow
from pixel_env.chat.pictures import check_image_tokens, pictures_of
from pixel_env.curiosity.bonus import CuriosityConfig

from .groups import Groups, Pay
from .rollout_tokens import RolloutTokens

_IDLE: defaultdict[tuple[str, str, str], list[ChatEpisode]] = defaultdict(list)
"""Environments of this process that no rollout uses, by id, arguments and dialect."""


@cache
def _groups(preset: str, counts: str, overrides: str) -> Groups:
    """Returns the groups of this process: verl makes one agent loop for each rollout of them."""
    return Groups(CuriosityConfig.of(preset, **json.loads(overrides)), counts)


@of_verl.register("pixel_reason")
class PixelReasonLoop(of_verl.AgentLoopBase):  # type: ignore[misc]  # verl isn't installed here
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
    ) -> of_verl.AgentLoopOutput | list[of_verl.AgentLoopOutput]:
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
            episode = await asyncio.to_thread(self._begun, key, row)
            tokens = None if episode.ended else await self._play(episode, sampling_params)
            facts, n_messages = episode.facts, len(episode.messages)
            _IDLE[key].append(episode)  # one that failed on the way isn't used again
            pay = await place.pay(facts)
        if tokens is None or tokens.overlong or facts.fault:
            return []
        return self._output(tokens, facts, pay, n_messages)

    def _begun(self, key: tuple[str, str, str], row: Mapping[str, Any]) -> ChatEpisode:
        """Begins the episode of a row, in an environment that is free or else in a new one."""
        try:
            episode = _IDLE[key].pop()
        except IndexError:
            episode = ChatEpisode(key[0], json.loads(key[1]), key[2], "none", AsPillow())
        episode.begin(index=int(row["sample_index"]))
        prompt = list(row["raw_prompt"])
        if prompt and prompt[0]["role"] == "system":  # as the row was written, full or brief
            episode.messages.insert(0, dict(prompt[0]))
        return episode

    async def _play(
        self, episode: ChatEpisode, sampling_params: Mapping[str, Any]
    ) -> RolloutTokens:
        pictures = pictures_of(episode.messages)
        ids = await self.ct_build_initial_tokens(list(episode.messages), images=pictures)
        tokens = RolloutTokens(ids, pictures, len(ids))
        request = uuid4().hex  # turns of one episode go to one server, for its cache of prefixes
        while not tokens.overlong:
            message = await self._speak(tokens, sampling_params, request)
            n_messages = len(episode.messages)
            with simple_timer("tool_calls", tokens.times):
                await asyncio.to_thread(episode.respond, message)
            if episode.ended or tokens.overlong:
                images = self.processor.image_processor
                n_tokens = tokens.ids.count(get_processor_token_id(self.processor, "image"))
                sizes = [each.size for each in tokens.pictures]
                check_image_tokens(sizes, images.patch_size * images.merge_size, n_tokens)
                return tokens
            if tokens.cut:
                tokens.close(self.tokenizer.eos_token_id)
            before, now = episode.messages[: n_messages + 1], list(episode.messages)
            merged, tokens.mask, tokens.logprobs = await self.ct_merge_context_msg(
                before, now, tokens.ids, tokens.mask, tokens.logprobs
            )
            tokens.ids = merged.token_ids
            tokens.pictures += pictures_of(now[n_messages + 1 :])
            tokens.overlong = len(tokens.mask) >= self.rollout_config.response_length
        return tokens

    async def _speak(
        self, tokens: RolloutTokens, sampling_params: Mapping[str, Any], request: str
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
        tokens.note(out.extra_fields)
        tokens.cut = not sampled or sampled[-1] != self.tokenizer.eos_token_id
        tokens.overlong = tokens.cut and limit == room  # what comes after doesn't fit
        said = sampled if tokens.cut else sampled[:-1]
        return str(self.tokenizer.decode(said, clean_up_tokenization_spaces=False))

    def _output(
        self, tokens: RolloutTokens, facts: EpisodeFacts, pay: Pay, n_messages: int
    ) -> of_verl.AgentLoopOutput:
        told = {"acc": facts.score, "curiosity": pay.bonus, "penalty": pay.penalty}
        told |= {"rapr": pay.rapr, "n_calls": facts.n_calls, "n_operations": facts.n_operations}
        return of_verl.AgentLoopOutput(
            prompt_ids=tokens.ids[: tokens.n_prompt],
            response_ids=tokens.ids[tokens.n_prompt :],
            response_mask=tokens.mask,
            response_logprobs=tokens.logprobs,
            multi_modal_data={"images": tokens.pictures},
            mm_processor_kwargs=self._get_mm_processor_kwargs(),
            reward_score=pay.reward,
            num_turns=n_messages,
            metrics=of_verl.AgentLoopMetrics(**tokens.times),
            extra_fields={**tokens.facts, "reward_extra_info": told},
        )
