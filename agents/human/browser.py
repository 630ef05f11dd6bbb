"""The page that a person plays on, and its answers: the question, its pictures, an action."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files

from pixel_env.errors import PixelEnvError
from pixel_env.files.json_records import parsed
from pixel_env.viewer.server import NOTHING, Answer

from .board import Board

WAIT_S = 15.0
"""How long the page waits for news in one request."""

_STATE, _PICTURE = re.compile(r"state/(-?\d{1,9})"), re.compile(r"view/(\d{1,9})/(\d{1,6})\.png")


def respond(board: Board, method: str, path: str, body: bytes) -> Answer:
    """Answers a request of the page; see `LoopbackServer`."""
    if method == "POST":
        return _given(board, body) if path == "act" else NOTHING
    if path == "":
        return Answer(_page().encode(), "text/html; charset=utf-8", policy=_policy())
    if found := _STATE.fullmatch(path):
        state = board.state(int(found[1]), WAIT_S)
        return Answer(json.dumps(state).encode(), "application/json")
    if found := _PICTURE.fullmatch(path):
        picture = board.picture(int(found[1]), int(found[2]))
        return NOTHING if picture is None else Answer(picture, "image/png")
    return NOTHING


def _given(board: Board, body: bytes) -> Answer:
    try:
        given = parsed(body, "an action")
        board.give(given if isinstance(given, dict) else {})
    except PixelEnvError as fault:
        return Answer(str(fault).encode("utf-8", "replace"), status=400)
    return Answer(b"ok\n")


def _page() -> str:
    style, script = (_static(f"play.{kind}") for kind in ("css", "js"))
    return _static("play.html").replace("{{STYLE}}", style).replace("{{SCRIPT}}", script)


def _policy() -> str:
    return (
        f"default-src 'none'; script-src {_hash('play.js')}; style-src {_hash('play.css')}; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(_static(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _static(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")
