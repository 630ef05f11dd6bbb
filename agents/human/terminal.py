"""A person at a terminal: structured actions as short lines, pictures as files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError
from pixel_env.files.whole_file import write_whole
from pixel_env.types import LETTERS

from .board import Board

HELP = (
    "zoom X1 Y1 X2 Y2 [in N]: shares of image N (1 where left out); "
    "frames N N ...: select frames; anything else is the answer (answer TEXT for one that "
    "begins so)"
)

_ZOOM = re.compile(r"zoom((?:\s+[\d.]+){4})(?:\s+in\s+(\d{1,6}))?")
_FRAMES = re.compile(r"frames((?:[\s,]+\d{1,6})+)")


def read_action(line: str) -> dict[str, Any]:
    """Reads an action.

    Raises:
        ConfigError: a line that begins as an operation is none.

    >>> read_action("zoom 0 0 .5 1 in 2")
    {'operation': 'zoom_in', 'bbox': [0.0, 0.0, 0.5, 1.0], 'target_image': 2}
    >>> read_action("frames 3 7")["frames"], read_action("B")["text"]
    ([3, 7], 'B')
    """
    line = line.strip()
    word, _, rest = line.partition(" ")
    if word == "answer":
        return {"operation": "answer", "text": rest.strip()}
    try:
        if found := _ZOOM.fullmatch(line):
            bbox = [float(each) for each in found[1].split()]
            return {"operation": "zoom_in", "bbox": bbox, "target_image": int(found[2] or 1)}
    except ValueError:
        word = "zoom"
    if found := _FRAMES.fullmatch(line):
        return {"operation": "select_frames", "frames": [int(n) for n in re.findall(r"\d+", line)]}
    if word in ("zoom", "frames", ""):
        raise ConfigError(HELP)
    return {"operation": "answer", "text": line}


def play(board: Board, folder: Path, say: Callable[[str], None], read: Callable[[], str]) -> None:
    """Asks a person until there is no further question.

    Args:
        board: what is asked.
        folder: gets the views as files, `episode-1-view-2.png`; made where missing.
        say: prints a line.
        read: returns the next line that is typed; raises `EOFError` at the end of the input.
    """
    version, n_known = -1, 0
    while True:
        state = board.state(version, 1.0)
        if state["version"] <= version:
            continue
        version = state["version"]
        for result in state["results"][n_known:]:
            say(f"{'right' if result['correct'] else 'wrong'}, score {result['score']:g}\n")
        n_known = len(state["results"])
        if state["over"]:
            return
        if "episode" in state:
            _show(board, state, folder, say)
            _ask(board, state, say, read)


def _show(board: Board, state: dict[str, Any], folder: Path, say: Callable[[str], None]) -> None:
    if state["turn"] == 0:
        say(f"{state['episode']}. {state['question']}")
        for letter, choice in zip(LETTERS, state["choices"], strict=False):
            say(f"   ({letter}) {choice}")
    if state["feedback"]:
        say(state["feedback"])
    folder.mkdir(parents=True, exist_ok=True)
    for view in state["views"] if state["first_new"] is not None else ():
        if view["n"] >= state["first_new"]:
            path = folder / f"episode-{state['episode']}-view-{view['n']}.png"
            write_whole(path, board.picture(state["episode"], view["n"]) or b"", sync=False)
            say(f"   image {view['n']}, {view['w']} x {view['h']}: {path}")


def _ask(
    board: Board, state: dict[str, Any], say: Callable[[str], None], read: Callable[[], str]
) -> None:
    """Asks until an action is given."""
    while True:
        say(f"{state['turns_left']} turns left. ? lists what can be typed.")
        line = read()
        try:
            given = read_action("" if line.strip() == "?" else line)
            board.give({**given, "episode": state["episode"], "turn": state["turn"]})
            return
        except ConfigError as fault:
            say(str(fault))
