"""Lays out trajectories as HTML: of each episode pictures with boxes, messages, feedback."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..media.border import reason_of
from .episodes import OUTCOMES, Record, Region, episode_place, regions_by_view
from .page_pictures import PagePictures
from .style import SCRIPT, STYLE


def page(
    records: Iterable[Record],
    folder: str | os.PathLike[str],
    title: str,
    page_folder: str | os.PathLike[str] | None = None,
    faults: list[DataError] | None = None,
) -> str:
    """Returns a page of episodes; nothing is loaded from anywhere but the folder.

    Whatever a record holds is shown as text, never taken for HTML.

    Args:
        records: as `read_episodes` gives them.
        folder: what their pictures' names are relative to.
        title: over the page.
        page_folder: where the page will lie. Its pictures are links from there, loaded when they
            are seen. None makes them part of the page, photographs as JPEG.
        faults: gets the faults of pictures, whose episodes say it in their place; None raises the
            first.

    Raises:
        DataError: a picture is missing or broken, or its name leads out of the folder.
    """
    pictures = PagePictures(
        Path(folder).resolve(), None if page_folder is None else Path(page_folder).resolve()
    )
    episodes = [(record, _shown(record, pictures, faults)) for record in records]
    counts = {
        name: sum(bool(holds(record)) for record, _ in episodes) for name, holds in OUTCOMES.items()
    }
    choices = "".join(
        f'<label><input type="checkbox" value="{name}">{name} ({count})</label>'
        for name, count in counts.items()
    )
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>',
        f"<style>{STYLE}</style></head><body><header><h1>{_text(title)}</h1>",
        f'<form>{choices}<input type="search" placeholder="text"></form>',
        f"<p><output>{len(episodes)}</output> of {len(episodes)} episodes</p></header>",
        *(text for _, text in episodes),
        f"<script>{SCRIPT}</script></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _shown(record: Record, pictures: PagePictures, faults: list[DataError] | None) -> str:
    """Returns one episode, or why it can't be shown: its values are of other types, a picture."""
    try:
        return _episode(record, pictures)
    except DataError as fault:
        if faults is None:
            raise
        faults.append(fault)
        reason = str(fault)
    except Exception as fault:  # a record is a file's content: it can hold anything
        reason = reason_of(fault)
    why = f"this episode can't be shown: {reason}"
    question = _text(record["question"])
    return f"<details><summary><b>–</b> {question}</summary><p>{_text(why)}</p></details>"


def _episode(record: Record, pictures: PagePictures) -> str:
    """Returns one episode, folded to a line."""
    outcomes = " ".join(name for name, holds in OUTCOMES.items() if holds(record))
    grade = record.get("grade") or {}
    mark = {True: "✓", False: "✗"}.get(grade.get("correct"), "–")  # type: ignore[arg-type]
    facts = [
        str(record.get("category") or ""),
        f"{record.get('n_calls', 0)} calls, {record.get('n_operation_errors', 0)} refused",
        f"reward {record.get('reward', 0):.3g}",
    ]
    regions = regions_by_view(record)
    return "\n".join(
        [
            f'<details class="{outcomes}"{_anchor(record)}>',
            f"<summary><b>{mark}</b> {_text(record['question'])}",
            f"<small>{_text(record.get('sample_id'))} · {_text(' · '.join(filter(None, facts)))}",
            "</small></summary>",
            _choices(record.get("choices") or ()),
            _views(record["first"], regions, pictures),
            *(
                _turn(number, turn, regions, pictures)
                for number, turn in enumerate(record["turns"], 1)
            ),
            _end(record),
            "</details>",
        ]
    )


def _anchor(record: Record) -> str:
    """Returns the name that a link finds an episode by, where its sample was chosen by index."""
    place = episode_place(record)
    return "" if place is None else f' id="episode-{place[0]}-{place[1]}"'


def _turn(
    number: int, turn: Record, regions: dict[int, list[Region]], pictures: PagePictures
) -> str:
    """Returns a turn: its message, and the feedback and the views that followed."""
    message = turn.get("message")
    if message is None:
        message = turn.get("refusal") or _action(turn.get("action"))
    refused = turn.get("operation_error")
    feedback = (
        f'<p class="{"refused" if refused else "feedback"}">{_text(turn.get("feedback"))}</p>'
    )
    terms = {name: value for name, value in (turn.get("reward_terms") or {}).items() if value}
    paid = f"<p class=terms>{_text(_terms(terms))}</p>" if terms else ""
    return (
        f"<section><h2>{number}</h2>{_reasoning(turn)}<pre>{_text(message)}</pre>{feedback}{paid}"
        f"{_views(turn, regions, pictures)}</section>"
    )


def _reasoning(turn: Record) -> str:
    """Returns the thinking that a server gave apart from the message."""
    thought = turn.get("reasoning")
    return f"<pre class=reasoning>{_text(thought)}</pre>" if thought else ""


def _end(record: Record) -> str:
    """Returns how an episode ended."""
    grade = record.get("grade") or {}
    facts = {
        "answer": record.get("answer"),
        "read as": grade.get("parsed"),
        "score": grade.get("score"),
        "reward": _terms(record.get("reward_terms") or {}),
        "RaPR of the group": record.get("rapr"),
        "out of turns": "yes" if record.get("truncated") else None,
        "fault of the data": record.get("env_error"),
    }
    cells = (
        f"<dt>{name}</dt><dd>{_text(value)}</dd>"
        for name, value in facts.items()
        if value is not None and value != ""
    )
    return f"<dl>{''.join(cells)}</dl>"


def _views(news: Record, regions: dict[int, list[Region]], pictures: PagePictures) -> str:
    """Returns the pictures that came in one observation, with the regions that operations read."""
    first = news.get("first_image") or 1
    return "".join(
        f"<figure><div>{pictures.element(name)}{_boxes(regions.get(number, ()))}</div>"
        f"<figcaption>image {number}</figcaption></figure>"
        for number, name in enumerate(news["images"], first)
    )


def _boxes(regions: Sequence[Region]) -> str:
    """Returns frames over a picture, each with the number of its turn."""
    return "".join(
        f'<i style="left:{100 * x1:.2f}%;top:{100 * y1:.2f}%;width:{100 * (x2 - x1):.2f}%;'
        f'height:{100 * (y2 - y1):.2f}%"><b>{region.turn}</b></i>'
        for region in regions
        for x1, y1, x2, y2 in [region.box]
    )


def _choices(choices: Sequence[Any]) -> str:
    items = "".join(f"<li>{_text(choice)}</li>" for choice in choices)
    return f'<ol type="A">{items}</ol>' if items else ""


def _action(action: Any) -> str:
    """Writes a structured action's parts that are not empty."""
    if not isinstance(action, dict):
        return str(action)
    return ", ".join(f"{name}={value}" for name, value in action.items() if value not in ("", None))


def _terms(terms: Record) -> str:
    return ", ".join(f"{name} {float(value):+.3g}" for name, value in terms.items())


def _text(value: object) -> str:
    """Returns a value as HTML; half a surrogate pair, which no file can hold, becomes a "?"."""
    return "" if value is None else escape(str(value)).encode("utf-8", "replace").decode("utf-8")
