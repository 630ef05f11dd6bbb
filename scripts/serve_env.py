r"""Serves an environment to trainers on other machines, by OpenEnv's protocol.

    pixel-reason serve-env --env PixelReason-SyntheticSearch-v0
    pixel-reason serve-env --env PixelReason-VStar-v0 --env-arg data_dir=data/vstar --port 8001
    pixel-reason serve-env --env mine:PixelReason-Mine-v0       # imports mine, which registers it

A session is one WebSocket with one episode at a time; PixelReasonClient of
pixel_env.agents.adapters.openenv_client is the other end. Nothing asks who connects and nothing is
encrypted, so the server listens on this machine alone unless --host says otherwise. Ctrl-C ends it.
"""

from __future__ import annotations

import importlib
import ipaddress
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.kinds import pairs
from pixel_env.agents.settings.marks import REPEATED, mark
from pixel_env.chat import AsDataURL
from pixel_env.errors import ConfigError


@dataclass(frozen=True)
class ServeOptions:
    """Which environment, and where."""

    env: str = ""
    """Id of the environment; module:ID imports a module that registers it."""
    env_arg: tuple[str, ...] = field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE, an argument of the environment; the value is JSON or plain text."""
    dialect: str = "pixel-reasoner"
    """How calls are written."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 is every interface."""
    port: int = 8000
    """Port to listen on; 0: a free one."""
    max_sessions: int = 64
    """Most sessions at once."""
    timeout_s: float = 600.0
    """A session that sends nothing for so many seconds ends."""
    encoding: str = "png"
    """Of pictures: png, which keeps every pixel, or jpeg, which is smaller."""

    def __post_init__(self) -> None:
        """Checks the port.

        Raises:
            ConfigError: there is none of that number.
        """
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"expected port from 0 to 65535, got {self.port}")


PAGE = Page("pixel-reason serve-env", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where something is wrong."""
    return command(_serve, ServeOptions(), PAGE, arguments)


def _serve(options: ServeOptions, terminal: Terminal) -> int:
    if not options.env:
        raise UsageError("expected --env")
    from pixel_env.agents.adapters.openenv_server import ServedEnvironment, make_app, web_server

    module, _, env_id = options.env.rpartition(":")
    if module:
        importlib.import_module(module)
    served = ServedEnvironment(
        env_id,
        pairs(options.env_arg, "--env-arg"),
        options.dialect,
        options.max_sessions,
        options.timeout_s,
        AsDataURL(options.encoding),
    )
    app, _ = make_app(served)
    if not is_loopback(options.host):
        terminal.say(
            f"{options.host} can be reached from other machines, and nothing asks who connects: "
            "let only those in that are to use it",
            "yellow",
        )
    server = web_server(app, options.host, options.port)
    sockets = [server.config.bind_socket()]
    sockets[0].listen()  # so a client that reads the address is never refused
    port = sockets[0].getsockname()[1]
    terminal.say(f"{options.env} at http://{options.host}:{port}")
    sys.stdout.flush()  # whoever started it waits for the address
    server.run(sockets)
    return 0


def is_loopback(host: str) -> bool:
    """Tells whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name, which may be any address
        return False


if __name__ == "__main__":
    sys.exit(main())
