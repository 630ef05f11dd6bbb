"""A chat server on loopback that answers what a test scripts; it never sleeps."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = {"id": "scripted", "root": "models/scripted", "object": "model", "created": 0}


@dataclass
class Reaction:
    """What the server does with one request."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # closes the connection in the middle of the body
    wait: threading.Event | None = None  # answers when it is set


@dataclass
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body["messages"]


def completion(content=None, *calls, finish="stop", usage=(100, 10), **message) -> dict[str, Any]:
    """Returns a chat completion; further arguments are fields of its message."""
    message = {"role": "assistant", "content": content, **message}
    if calls:
        message["tool_calls"] = list(calls)
        finish = "tool_calls" if finish == "stop" else finish
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "scripted",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]},
    }


def tool_call(arguments: str, name: str = "zoom_in", identity: str = "call_a") -> dict[str, Any]:
    """Returns an entry of `tool_calls`."""
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def chunks(reply: dict[str, Any], size: int = 3) -> list[dict[str, Any]]:
    """Cuts a completion into the pieces of a stream, texts into `size` characters each."""
    message, finish = reply["choices"][0]["message"], reply["choices"][0]["finish_reason"]

    def piece(delta, end=None):
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        named = {name: reply[name] for name in ("id", "model", "system_fingerprint")}
        return {**named, "object": "chat.completion.chunk", "choices": [choice]}

    made = [piece({"role": "assistant"})]
    for name in ("reasoning_content", "content"):
        text = message.get(name) or ""
        made += [piece({name: text[at : at + size]}) for at in range(0, len(text), size)]
    for index, call in enumerate(message.get("tool_calls", ())):
        function, text = call["function"], call["function"]["arguments"]
        made.append(piece({"tool_calls": [{**call, "index": index, "function": {
            "name": function["name"], "arguments": ""}}]}))  # fmt: skip
        for at in range(0, len(text), size):
            part = {"index": index, "function": {"arguments": text[at : at + size]}}
            made.append(piece({"tool_calls": [part]}))
    made.append(piece({}, finish))
    return [*made, {**made[0], "choices": [], "usage": reply["usage"]}]


def streamed(pieces: Sequence[dict[str, Any]], done: bool = True) -> Reaction:
    """Returns a stream of pieces."""
    lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces]
    text = "".join([*lines, "data: [DONE]\n\n"] if done else lines)
    return Reaction(text.encode(), headers={"content-type": "text/event-stream"})


class ScriptedServer:
    """Serves on a free port; `script` is asked for the reaction to each chat request.

    Attributes:
        requests: the chat requests so far.
        models: what GET /models lists; None answers 404.
    """

    def __init__(self, script: Callable[[Request, int], Any]) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.models: list[dict[str, Any]] | None = [MODEL]
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def react(self, request: Request) -> Reaction:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        reaction = self.script(request, number)
        return reaction if isinstance(reaction, Reaction) else Reaction(reaction)

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def in_turn(*reactions: Any) -> Callable[[Request, int], Any]:
    """Returns a script that gives these one after the other, the last one for ever."""
    return lambda request, number: reactions[min(number, len(reactions) - 1)]


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "scripted/1"
        sys_version = ""

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            known = server.models is not None
            self._send(Reaction({"data": server.models} if known else {}, 200 if known else 404))

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(self.rfile.read(int(headers["content-length"])))
            self._send(server.react(Request(self.path, headers, body)))

        def _send(self, reaction: Reaction) -> None:
            if reaction.wait is not None:
                reaction.wait.wait(20)
            is_raw = isinstance(reaction.body, bytes)
            data = reaction.body if is_raw else json.dumps(reaction.body).encode()
            try:
                self.send_response(reaction.status)
                headers = {"content-type": "application/json", **reaction.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data) + 99 * reaction.drop))
                self.end_headers()
                self.wfile.write(data)
                if reaction.drop:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
            except OSError:
                self.close_connection = True  # the client gave up

    return Handler
