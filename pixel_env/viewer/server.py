"""A small HTTP server for one person on this machine: loopback only, behind a secret address.

Every page has the address `http://127.0.0.1:PORT/TOKEN/`. Another user of the machine, or a page
from elsewhere that makes the browser ask here, doesn't know the token. A request whose `Host` is
another name is refused as well, so that no name that points to 127.0.0.1 gets an answer.
"""

from __future__ import annotations

import hmac
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

MOST_BODY = 65_536
"""Bytes of a request's body at most."""

TIMEOUT_S = 30
"""A connection that sends nothing for so long is closed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with.

    Attributes:
        body: its content.
        kind: its media type.
        status: of HTTP.
        policy: the Content-Security-Policy of a page; "" allows nothing.
    """

    body: bytes
    kind: str = "text/plain; charset=utf-8"
    status: int = 200
    policy: str = ""


_POLL_S = 0.05
"""How soon a server notices that it is closed."""

NOTHING = Answer(b"there is no such page\n", status=404)
REFUSED = Answer(b"refused\n", status=403)

Respond = Callable[[str, str, bytes], Answer]
"""Takes a method, GET or POST, the path behind the token, and the body."""


class LoopbackServer:
    """Serves one site until it is closed; a context manager.

    Attributes:
        address: what a browser opens.
    """

    def __init__(self, respond: Respond, port: int = 0, takes_posts: bool = False) -> None:
        """Begins to serve.

        Args:
            respond: answers a request; it is called in several threads.
            port: 0 takes a free one.
            takes_posts: whether a request may change something.

        Raises:
            OSError: the port is taken.
        """
        self._token = secrets.token_urlsafe(16)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.respond = respond  # type: ignore[attr-defined]
        self._server.token = self._token  # type: ignore[attr-defined]
        self._server.methods = ("GET", "HEAD", "POST")[: 2 + takes_posts]  # type: ignore[attr-defined]
        self.address = f"http://127.0.0.1:{self._server.server_port}/{self._token}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self) -> None:
        """Waits until the server is closed, or the process is interrupted."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Ends the server and frees its port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Takes a browser that goes away for what it is."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints what went wrong, unless the other side closed the connection."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Checks a request, and gives it on."""

    timeout = TIMEOUT_S
    server_version, sys_version = "pixel-reason", ""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Writes no log: a page asks for hundreds of pictures."""

    def _answer(self, method: str) -> None:
        answer = self._checked(method)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Content-Security-Policy", answer.policy or "default-src 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _checked(self, method: str) -> Answer:
        """Answers a request that comes from the page itself; refuses every other."""
        server: Any = self.server
        hosts = {f"{name}:{server.server_port}" for name in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        is_own = origin is None or origin in {f"http://{host}" for host in hosts}
        if self.command not in server.methods or self.headers.get("Host") not in hosts:
            return REFUSED
        _, token, *rest = self.path.partition("?")[0].split("/")
        if not is_own or not hmac.compare_digest(token.encode(), server.token.encode()):
            return REFUSED
        body = b""
        if method == "POST":
            length = self.headers.get("Content-Length") or ""
            if not length.isdecimal() or int(length) > MOST_BODY:
                return REFUSED
            body = self.rfile.read(int(length))
        found: Answer = server.respond(method, unquote("/".join(rest)), body)
        return found
