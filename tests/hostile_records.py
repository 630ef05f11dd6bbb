"""Malformed records from seeds: lines of JSON whose values, keys or text are not what they were."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

HUGE = 10**400
WILD: tuple[Any, ...] = (
    *(None, True, "", "x" * 10_000, "\ud800", "a\udfffb", "\u2028\x85", 0, -1, 2**63, HUGE, 1.5),
    *(float("nan"), float("inf"), -1e308, [], {}, [None], [[]], {"": {}}, [HUGE] * 3, ["\ud800"]),
)
RAW = (b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"\0", b"[" * 9_000, b"1" * 9_000)
RAW += (b'{"a": ' * 9_000 + b"1" + b"}" * 9_000, b"{}", b"NaN", "﻿{}".encode())


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the way to every value inside a value of JSON."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        yield (*at, key)
        if isinstance(entry, dict | list):
            yield from places(entry, (*at, key))


def malformed(line: str, seed: str) -> bytes:
    """Returns a line with one thing wrong, or a text that is no record at all."""
    rng = random.Random(seed)
    way = rng.randrange(8)
    if way == 0:
        return rng.choice(RAW)
    if way == 1:
        data = bytearray(line.encode())
        start = rng.randrange(len(data))
        data[start : start + rng.randrange(1, 9)] = bytes(rng.choices(range(11, 256), k=3))
        return bytes(data)
    record = copy.deepcopy(json.loads(line))
    *way_to, last = rng.choice(list(places(record)))
    inner = record
    for key in way_to:
        inner = inner[key]
    if way == 2:
        del inner[last]
    elif way == 3 and isinstance(inner, dict):
        inner[rng.choice(["", "other", "\ud800", "__class__"])] = inner.pop(last)
    else:
        inner[last] = rng.choice(WILD)
    return json.dumps(record).encode()
