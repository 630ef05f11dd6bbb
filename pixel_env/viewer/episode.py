"""One recorded episode as a page's data: a row of the list, and everything that its page shows.

A record is a file's content and can hold anything. What is of another type than the recorder
writes counts as missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import DataError
from ..media.border import reason_of
from ..media.geometry import FULL
from ..operations import operations
from ..recordings.episodes import Record, episode_place
from ..types import LETTERS
from .pictures import PagePictures
from .sources import Source
from .values import box, number, numbers, objects, text, whole

MOST_ROW_TEXT = 240
"""Characters of a question in the list."""

_FACTS = ("n_calls", "n_operations", "n_operation_errors", "rapr", "curiosity_bonus", "advantage")


@dataclass(frozen=True, slots=True)
class Episode:
    """What a page holds of an episode.

    Attributes:
        row: what the list shows.
        detail: what its own page shows.
        fault: why it can't be shown; None where it can.
    """

    row: dict[str, Any]
    detail: dict[str, Any]
    fault: DataError | None = None


def episode_of(record: Record, source: Source, number_: int, pictures: PagePictures) -> Episode:
    """Returns one episode, or why it can't be shown.

    Args:
        record: as `read_episodes` gives it.
        source: where it was read.
        number_: of the source on the page, from 0.
        pictures: checks its pictures.
    """
    place = episode_place(record) or (None, 0)
    row: dict[str, Any] = {
        "source": number_,
        "sample": text(record.get("sample_id"), MOST_ROW_TEXT) or "episode",
        "index": whole(place[0]),
        "repeat": whole(place[1]) or 0,
        "question": text(record["question"], MOST_ROW_TEXT),
    }
    try:
        return _episode(record, source, row, pictures)
    except DataError as fault:
        found = fault
    except Exception as fault:  # its values are of types that nobody thought of
        found = DataError(f"an episode of {source.folder}: {reason_of(fault)}")
    return Episode({**row, "broken": str(found)}, {"question": row["question"]}, found)


def _episode(
    record: Record, source: Source, row: dict[str, Any], pictures: PagePictures
) -> Episode:
    gold = source.gold.get(row["index"], {})
    result = source.results.get((row["index"], row["repeat"]), {})
    views = list(_views(record, gold, source, pictures))
    regions = list(_regions(record, views))
    grade = record.get("grade") or {}
    usage = next(iter(objects([result.get("usage")])), {})
    first = _telling(views, regions)
    row |= {name: found for name in _FACTS if (found := number(record.get(name))) is not None}
    row |= {
        "gold": text(_gold_text(gold), MOST_ROW_TEXT),
        "answer": text(record.get("answer"), MOST_ROW_TEXT),
        "score": number(grade.get("score")),
        "correct": grade.get("correct") if isinstance(grade.get("correct"), bool) else None,
        "coverage": number(result.get("coverage")),
        "category": text(record.get("category"), MOST_ROW_TEXT) or "",
        "reward": number(record.get("reward")),
        "turns": len(record["turns"]),
        "truncated": record.get("truncated") is True,
        "left_out": text(record.get("env_error"), MOST_ROW_TEXT) or "",
        "tokens": _tokens(record, usage),
        "seconds": number(usage.get("seconds")),
        "picture": first and first["picture"],
        "boxes": [each for each in regions if first and each["view"] == first["n"]],
        "frames": whole(record.get("n_frames")) or 0,
    }
    detail = {
        "question": text(record["question"]),
        "choices": [text(each) for each in record.get("choices") or ()],
        "views": views,
        "regions": regions,
        "turns": [_turn(turn) for turn in record["turns"]],
        "gold": _gold(gold, source, pictures),
        "parsed": text(grade.get("parsed")),
        "terms": numbers(record.get("reward_terms")),
        "iou": number(result.get("iou")),
        "magnification": number(result.get("magnification")),
        "seed": text(record.get("seed")),
        "raw": json.dumps(_without_logprobs(record), indent=1),
    }
    return Episode(row, detail)


def _views(
    record: Record, gold: Mapping[str, Any], source: Source, pictures: PagePictures
) -> Iterator[dict[str, Any]]:
    """Yields every view: its number, picture, turn, and which box of which source it shows.

    `root` is the view that boxes of operations on it are drawn on: the first of the same source.
    """
    sources = gold.get("sources")
    shown = sources if isinstance(sources, list) else []
    known: dict[int, dict[str, Any]] = {}
    for turn_number, turn in enumerate((record["first"], *record["turns"])):
        first = whole(turn.get("first_image")) or 1
        target, region = whole(turn.get("target_image")), box(turn.get("executed_box"))
        frames = turn.get("frames") if isinstance(turn.get("frames"), list) else []
        for place, name in enumerate(turn["images"]):
            n = first + place
            view = {
                "n": n,
                "turn": turn_number,
                "picture": pictures.facts(source.name, name),
                "source": n,
                "box": FULL,
                "root": n,
            }
            if turn_number == 0:
                view["source"] = whole(shown[place]) if place < len(shown) else n
            elif region is not None and target in known:
                view |= {"box": region, "source": known[target]["source"]}
                view["root"] = known[target]["root"]
            elif place < len(frames) and (frame := whole(frames[place])) in known:
                view |= {"source": known[frame]["source"], "frame": frame}
            else:
                view["source"] = None  # an operation made it
            known[n] = view
            yield view


def _regions(record: Record, views: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the regions that operations read: turn, the view that they are drawn on, and box."""
    roots = {view["n"]: view["root"] for view in views}
    for turn_number, turn in enumerate(record["turns"], 1):
        target, region = whole(turn.get("target_image")), box(turn.get("executed_box"))
        if target is not None and region is not None:
            drawn_on = roots.get(target, target)
            yield {"turn": turn_number, "view": drawn_on, "box": region}


def _telling(views: list[dict[str, Any]], regions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns the view that stands for an episode: that of its first operation, else the first."""
    used = [each["view"] for each in regions] + [each["frame"] for each in views if "frame" in each]
    return next((each for each in views if used and each["n"] == used[0]), next(iter(views), None))


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    message, action = turn.get("message"), turn.get("action")
    return {
        "message": text(message) if message is not None else text(turn.get("refusal")),
        "action": _action(action, turn) if message is None and action is not None else None,
        "reasoning": text(turn.get("reasoning")),
        "operation": text(turn.get("operation")),
        "error": text(turn.get("operation_error")),
        "feedback": text(turn.get("feedback")),
        "terms": numbers(turn.get("reward_terms")),
        "logprobs": _logprobs(turn.get("token_logprobs")),
    }


def _logprobs(found: object) -> list[tuple[str, float]] | None:
    """Returns a message's tokens with their log-probabilities, where they were recorded."""
    pairs = [
        (text(each[0]), number(each[1]))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, list) and len(each) == 2
    ]
    return [(a, b) for a, b in pairs if a is not None and b is not None] or None


def _without_logprobs(record: Record) -> dict[str, Any]:
    """Leaves out the tokens' log-probabilities, five lines a token, which the messages show."""
    turns = [
        {name: value for name, value in turn.items() if name != "token_logprobs"}
        for turn in record["turns"]
    ]
    return {**record, "turns": turns}


def _action(action: object, turn: Mapping[str, Any]) -> str:
    """Writes a structured action: of one that is known, the arguments of its operation alone."""
    if not isinstance(action, dict):
        return str(action)
    known = operations().get(str(turn.get("operation")))
    names = action if known is None else [each.name for each in known.arguments]
    given = {name: action[name] for name in names if action.get(name) not in ("", None)}
    return ", ".join(f"{name} = {_short(value)}" for name, value in given.items())


def _short(value: object) -> str:
    """Writes an argument; of frames that are chosen by ones, their numbers from 1."""
    if isinstance(value, list) and len(value) > 4 and set(value) <= {0, 1}:
        return str([place for place, is_chosen in enumerate(value, 1) if is_chosen])
    parts = value if isinstance(value, list) else [value]
    written = [f"{each:.3g}" if isinstance(each, float) else str(each) for each in parts]
    return f"[{', '.join(written)}]" if isinstance(value, list) else written[0]


def _gold(gold: Mapping[str, Any], source: Source, pictures: PagePictures) -> dict[str, Any]:
    evidence = [
        {"source": whole(each.get("image")) or 1, "box": where}
        for each in objects(gold.get("evidence"))
        if (where := box(each.get("box"))) is not None
    ]
    found: dict[str, Any] = {"text": text(_gold_text(gold)), "evidence": evidence}
    if gold.get("picture") is not None:
        found["picture"] = pictures.facts(source.name, gold["picture"])
        found["source"] = whole(gold.get("picture_source"))
    return found


def _gold_text(gold: Mapping[str, Any]) -> str | None:
    """Writes the right answer: the option with its letter, or every answer that is accepted."""
    answers = gold.get("answers")
    if not isinstance(answers, list):
        return None
    place = whole(gold.get("right_choice"))
    letter = f"{LETTERS[place]}: " if place is not None and 0 <= place < len(LETTERS) else ""
    return letter + " | ".join(map(str, answers))


def _tokens(record: Record, usage: Mapping[str, Any]) -> int | None:
    """Returns how many tokens the policy wrote, where that is known."""
    noted = [whole(turn.get("completion_tokens")) for turn in record["turns"]]
    known = [each for each in noted if each is not None]
    return sum(known) if known else whole(usage.get("completion_tokens"))
