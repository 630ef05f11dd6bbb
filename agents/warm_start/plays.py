"""How each kind of demonstration is played: a few calls, right or deliberately wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pixel_env.media.clips import ClipSource
from pixel_env.media.geometry import FULL

from .player import Player, Unsuitable


def _single_pass(player: Player) -> None:
    for turn, number in enumerate(_zoomable(player)):
        player.right_zoom(number, "next_zoom" if turn else "first_zoom")


def _recrop(player: Player, n_wrong: int = 1) -> None:
    numbers = _zoomable(player)
    player.wrong_zooms(numbers[0], n_wrong)
    player.right_zoom(numbers[0], "again_zoom")
    for number in numbers[1:]:
        player.right_zoom(number, "next_zoom")


def _zoom_further(player: Player) -> None:
    numbers = _zoomable(player)
    if len(numbers) > 1:
        raise Unsuitable("the evidence is in several pictures")
    player.zoom_further(numbers[0])


def _retry(player: Player) -> None:
    numbers = _zoomable(player)
    player.refused_zoom(numbers[0])
    for turn, number in enumerate(numbers):
        player.right_zoom(number, "next_zoom" if turn else "refused")


def _retry_frames(player: Player) -> None:
    _check_clip(player)
    player.refused_selection()
    player.select(right=True, occasion="refused")


def _select_frames(player: Player) -> None:
    _check_clip(player)
    player.select(right=True, occasion="first_frames")


def _reselect_frames(player: Player) -> None:
    _check_clip(player)
    player.select(right=False, occasion="first_frames")
    player.select(right=True, occasion="again_frames")


def _zoomable(player: Player) -> list[int]:
    """Returns the views that are to be zoomed into."""
    numbers = [number for number, box in player.targets.items() if box != FULL]
    if not numbers:
        raise Unsuitable("the evidence is a whole picture")
    return numbers


def _check_clip(player: Player) -> None:
    if not isinstance(player.sample.media[0], ClipSource):
        raise Unsuitable("the sample is no clip")


PLAYS: Mapping[str, Callable[[Player], None]] = {
    "single_pass": _single_pass,
    "recrop": _recrop,
    "recrop_twice": lambda player: _recrop(player, n_wrong=2),
    "zoom_further": _zoom_further,
    "retry": _retry,
    "select_frames": _select_frames,
    "reselect_frames": _reselect_frames,
    "retry_frames": _retry_frames,
    "text_only": lambda player: None,
}
"""Everything before the answer, by kind."""
