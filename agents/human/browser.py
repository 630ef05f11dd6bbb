"""The page that a person plays on, and its answers: the question, its pictures, an action."""

from __future__ import annotations

import json
import re

from pixel_env.errors import PixelEnvError
from pixel_env.files.json_records import parsed
from pixel_env.viewer.assets import asset, asset_hash
from pixel_env.viewer.server import NOTHING, Answer

from .board import Board

_PACKAGE = "pixel_env.agents.human"

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
    style, script = (asset(_PACKAGE, f"play.{kind}") for kind in ("css", "js"))
    return asset(_PACKAGE, "play.html").replace("{{STYLE}}", style).replace("{{SCRIPT}}", script)


def _policy() -> str:
    script, style = (asset_hash(_PACKAGE, f"play.{kind}") for kind in ("js", "css"))
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
