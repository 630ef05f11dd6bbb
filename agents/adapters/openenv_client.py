"""OpenEnv: the client. It needs nothing of the environment but the messages on the wire."""

from __future__ import annotations

from typing import Any

from openenv.core.client_types import StepResult
from openenv.core.env_client import EnvClient
from openenv.core.env_server.types import State

from .openenv_messages import PixelAction, PixelObservation


class PixelReasonClient(EnvClient[PixelAction, PixelObservation, State]):  # type: ignore[misc]
    """A session with `pixel-reason serve-env`: one episode at a time.

    `reset(index=7)` begins the episode of a sample, `reset(seed=1)` one of a seeded order,
    `step(PixelAction(message=...))` takes a message. `.sync()` gives the same without `await`.
    """

    def _step_payload(self, action: PixelAction) -> dict[str, Any]:
        return {"message": action.message}

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[PixelObservation]:
        reward, done = payload.get("reward"), bool(payload.get("done"))
        observation = PixelObservation(**payload["observation"], reward=reward, done=done)
        return StepResult(observation=observation, reward=reward, done=done)

    def _parse_state(self, payload: dict[str, Any]) -> State:
        return State(**payload)
