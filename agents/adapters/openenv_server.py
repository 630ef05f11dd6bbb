"""OpenEnv: the server's side, one environment for many sessions.

A session is one WebSocket with an environment of its own; all share the task and its newest
pictures. OpenEnv's stateless routes are closed: an episode has more than one turn, and each of
their requests would make an environment. So what a server holds is bounded by the number of
sessions, and a silent session ends. No reply has the answer, the evidence or a path of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocketDisconnect
from openenv.core.env_server.http_server import HTTPEnvServer
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import EnvironmentMetadata, ServerMode, State

import pixel_env
from pixel_env.chat import AsDataURL, ChatEpisode
from pixel_env.chat.conversation import Message
from pixel_env.errors import ConfigError

from .episode import EnvironmentCopies, begin, respond, score
from .openenv_messages import MAX_CHARS, PixelAction, PixelObservation

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
_OPEN = {("GET", path) for path in ("/health", "/metadata", "/schema")}
MESSAGE_BYTES = 12 * MAX_CHARS + 1000
"""A character is at most twelve bytes of JSON; what is longer ends at the socket."""


@dataclass(frozen=True)
class ServedEnvironment:
    """What a server serves."""

    env_id: str
    """Id of a registered environment with pictures."""
    env_args: dict[str, Any] = field(default_factory=dict)
    """Its arguments."""
    dialect: str = "pixel-reasoner"
    """How messages are written."""
    max_sessions: int = 64
    """Most sessions at once; one more is refused."""
    timeout_s: float = 600.0
    """A session that sends nothing for so long ends."""
    picture: AsDataURL = field(default_factory=AsDataURL)
    """The form of pictures."""

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            ConfigError: one is out of range.
        """
        if self.max_sessions < 1:
            raise ConfigError(f"expected max_sessions >= 1, got {self.max_sessions}")
        if not self.timeout_s > 0:
            raise ConfigError(f"expected timeout_s > 0, got {self.timeout_s}")


class PixelEnvironment(Environment[PixelAction, PixelObservation, State]):  # type: ignore[misc]
    """The episodes of one session."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, served: ServedEnvironment, copies: EnvironmentCopies) -> None:
        """Makes the session's environment.

        Raises:
            ConfigError: there is no such environment, argument or dialect.
        """
        super().__init__()
        self._served = served
        self._episode = ChatEpisode(
            served.env_id, served.env_args, served.dialect, "full", served.picture, copies
        )
        self._state = State()

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, index: int | None = None
    ) -> PixelObservation:
        """Begins an episode; of sample `index`, from 0, or of the next one in a seeded order.

        Raises:
            ConfigError: there is no such sample.
        """
        self._state = State(episode_id=episode_id and str(episode_id)[:255])
        return self._observed(begin(self._episode, index, seed))

    def step(self, action: PixelAction, timeout_s: float | None = None) -> PixelObservation:
        """Takes a message of the policy."""
        before = self._episode.facts.score
        self._state.step_count += 1
        return self._observed(respond(self._episode, action.message), before)

    @property
    def state(self) -> State:
        """The episode's name, as the client gave it, and its number of messages."""
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        """Returns the environment's id, and what a message looks like."""
        served = self._served
        about = f"{served.env_id}, messages in the dialect {served.dialect}"
        version = pixel_env.__version__
        return EnvironmentMetadata(name="pixel-reason", description=about, version=version)

    def close(self) -> None:
        """Closes the environment."""
        self._episode.close()

    def _observed(self, messages: list[Message], before: float = 0.0) -> PixelObservation:
        facts, total = self._episode.facts, score(self._episode)
        if facts.fault:  # it names files of this machine, so it stays here
            _log.warning("an episode is left out: %s", facts.fault)
        return PixelObservation(
            messages=messages,
            n_calls=facts.n_calls,
            video=facts.video,
            left_out=total is None,
            reward=None if total is None else total - before,
            done=self._episode.ended,
        )


class Bounds:
    """ASGI middleware: closes what isn't a session, and sessions that say nothing."""

    def __init__(self, app: App, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] == "websocket":
            # A page in a browser names where it comes from, and has no business here.
            if any(name == b"origin" for name, _ in scope["headers"]):
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            with contextlib.suppress(WebSocketDisconnect):  # OpenEnv closes what is closed
                await self._app(scope, functools.partial(self._heard, receive), send)
        elif scope["type"] == "http" and (scope["method"], scope["path"]) not in _OPEN:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)

    async def _heard(self, receive: Receive) -> Scope:
        """Waits for the next message; a client that is silent for too long has gone."""
        try:
            return await asyncio.wait_for(receive(), self._timeout_s)
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1001}


def make_app(served: ServedEnvironment) -> tuple[App, HTTPEnvServer]:
    """Returns the application for an ASGI server, and OpenEnv's server, which counts sessions.

    Raises:
        ConfigError: the environment can't be made.
    """
    copies = EnvironmentCopies()
    made = functools.partial(PixelEnvironment, served, copies)
    made().close()  # a wrong setting is an error now, not in the first session
    server = HTTPEnvServer(
        made, PixelAction, PixelObservation, max_concurrent_envs=served.max_sessions
    )
    app = FastAPI(title="pixel-reason", openapi_url=None)
    server.register_routes(app, ServerMode.PRODUCTION)
    return Bounds(app, served.timeout_s), server


def web_server(app: App, host: str, port: int) -> uvicorn.Server:
    """Returns the web server, with every bound that it has."""
    config = uvicorn.Config(
        app,
        host,
        port,
        log_level="warning",
        ws_max_size=MESSAGE_BYTES,
        ws_max_queue=2,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    return uvicorn.Server(config)
