"""What verifiers 0.4 loads by the id `pixel-reason-v1`: a task set, an environment, a harness.

One of its episodes is a group of rollouts on one sample (`group_size`), so that its own hook over
a finished episode can pay the curiosity bonus with the group's exact rate.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Literal

import gymnasium as gym
import verifiers.v1 as vf
from openai import APIError, AsyncOpenAI
from pydantic import Field
from verifiers.v1.runtimes import ProgramResult

from pixel_env.chat.episode import ChatEpisode
from pixel_env.curiosity.bonus import CuriosityConfig
from pixel_env.curiosity.group_rewards import group_rewards
from pixel_env.env import PixelReasoningEnv
from pixel_env.errors import ConfigError

MOST_UNASKED = 100_000
"""Task sets with more samples are endless ones: how many must be set."""

FACTS = ("score", "n_calls", "n_operations", "video")
"""Metrics of each rollout; `finalize` reads them."""


class PixelReasonConfig(vf.TasksetConfig):  # type: ignore[misc]  # verifiers isn't installed here
    """Which samples, under `--env.taskset.*`."""

    env_id: str = "PixelReason-SyntheticSearch-v0"
    """Id of the environment."""
    env_args: dict[str, Any] = Field(default_factory=dict)
    """Its arguments, such as data_dir, split and preset."""
    dialect: str = "pixel-reasoner"
    """How calls are written."""
    system: Literal["full", "brief", "none"] = "full"
    """The system message."""
    first: int = Field(0, ge=0)
    """Number of the first sample, from 0."""
    n: int | None = Field(None, ge=1)
    """How many samples; null: all that follow."""


class PixelReasonData(vf.TaskData):  # type: ignore[misc]
    """Names one sample; pictures and answer stay in the environment."""

    env_id: str
    env_args: str
    dialect: str
    system: Literal["full", "brief", "none"]
    sample_index: int


class PixelReasonTask(vf.Task[PixelReasonData]):  # type: ignore[misc]
    """One sample. The environment scores it, so it has no reward of its own."""


class PixelReasonTaskset(vf.Taskset[PixelReasonTask, PixelReasonConfig]):  # type: ignore[misc]
    """The samples of any of our environments."""

    def load(self) -> Iterator[PixelReasonTask]:
        """Yields one task for each sample.

        Raises:
            ConfigError: the environment has no pictures, there is no such sample, or so many that
                `n` must be set.
        """
        given = self.config
        env = gym.make(given.env_id, **given.env_args).unwrapped
        if not isinstance(env, PixelReasoningEnv):
            raise ConfigError(f"expected an environment with pictures, got {given.env_id}")
        n_samples = len(env.task)
        if given.first >= n_samples:
            raise ConfigError(f"expected first under the {n_samples:,} samples, got {given.first}")
        if given.n is None and n_samples > MOST_UNASKED:
            raise ConfigError(f"{given.env_id} has {n_samples:,} samples; set taskset.n")
        stop = n_samples if given.n is None else min(given.first + given.n, n_samples)
        named = given.model_dump(include={"env_id", "dialect", "system"})
        named["env_args"] = json.dumps(given.env_args, sort_keys=True)
        for index in range(given.first, stop):
            yield PixelReasonTask(PixelReasonData(sample_index=index, **named), given.task)


class PixelReasonEnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """How samples are played, under `--env.*`."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())
    """The policy. It runs no program, so it needs no sandbox."""
    group_size: int = Field(1, ge=1)
    """Rollouts of a sample in one episode; from 2 on they are paid the curiosity bonus."""
    preset: str = "paper"
    """"paper" or "released", see `curiosity_bonus`."""
    curiosity: dict[str, float] = Field(default_factory=dict)
    """Fields of `CuriosityConfig` other than the preset's."""


class PixelReasonEnv(vf.Env[PixelReasonEnvConfig]):  # type: ignore[misc]
    """Plays rollouts of a sample, and pays them."""

    async def run(self, task: PixelReasonTask, agents: Any) -> None:
        """Plays the group; a fault of the data fails the episode, so nothing of it is scored.

        Raises:
            TaskError: the sample's files can't be read.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.config.group_size):
                    group.create_task(self._rollout(task, agents))
        except ExceptionGroup as faults:  # all have the same sample, so one sentence is enough
            raise faults.exceptions[0] from None

    async def _rollout(self, task: PixelReasonTask, agents: Any) -> None:
        data = task.data
        episode = await asyncio.to_thread(
            ChatEpisode, data.env_id, json.loads(data.env_args), data.dialect, data.system
        )
        await asyncio.to_thread(episode.begin, data.sample_index)
        try:
            async with agents.agent.interaction(task) as interaction:
                n_sent = 0
                while not episode.ended:
                    fresh, n_sent = episode.messages[n_sent:], len(episode.messages) + 1
                    segment = await interaction.turn(fresh)
                    if segment.terminated:
                        break
                    reply = segment.messages[-1].content or ""
                    await asyncio.to_thread(episode.respond, reply)
                if episode.facts.fault:
                    raise vf.TaskError(episode.facts.fault)
                facts = {name: float(getattr(episode.facts, name)) for name in FACTS}
                interaction.trace.record_metrics(facts)
                if not interaction.trace.errors:  # a model that failed says nothing of the policy
                    interaction.trace.record_reward("score", facts["score"])
        finally:
            episode.close()

    async def finalize(self, task: PixelReasonTask, episode: Any) -> None:
        """Pays the bonus to a whole group; a rollout whose model failed is left out of it."""
        if self.config.group_size < 2:
            return
        config = CuriosityConfig.of(self.config.preset, **self.config.curiosity)
        traces = episode.traces
        score, n_calls, _, video = (
            [trace.metrics.get(name, 0.0) for trace in traces] for name in FACTS
        )
        failed = [not trace.ok or "score" not in trace.rewards for trace in traces]
        paid = group_rewards(score, n_calls, faulty=failed, video=video, config=config)
        for trace, left_out, bonus, penalty, rapr in zip(
            traces, failed, paid.bonus, paid.penalty, paid.rapr, strict=True
        ):
            if not left_out:
                trace.record_reward("curiosity", bonus)
                trace.record_reward("operations", penalty)
                trace.record_metric("rapr", rapr)


class ChatHarness(vf.Harness[vf.HarnessConfig]):  # type: ignore[misc]
    """Asks the model once a turn, in this process: no program is launched, no `uv` is needed."""

    APPENDS_SYSTEM_PROMPT = True
    SUPPORTS_RESUME = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(self, ctx: Any, trace: Any, runtime: Any, *where: Any) -> ProgramResult:
        """Sends the conversation of `data` to the endpoint, which records the reply."""
        endpoint, secret, _, data = where
        system, prompt = self.resolve_prompt(data)
        messages: list[Any] = [] if system is None else [{"role": "system", "content": system}]
        messages += [each.model_dump(exclude_none=True) for each in prompt or ()]
        try:
            async with AsyncOpenAI(base_url=endpoint, api_key=secret, max_retries=0) as client:
                await client.chat.completions.create(model=ctx.model, messages=messages)
        except APIError as fault:  # the endpoint keeps the cause; this only says that it failed
            return ProgramResult(1, "", str(fault))
        return ProgramResult(0, "", "")
