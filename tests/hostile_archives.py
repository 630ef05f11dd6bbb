"""Small archives and records that are broken or lead elsewhere, made from seeds."""

import io
import json
import random
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile_files import OUTSIDE, mutated
from hostile_models import BROKEN_TEXTS, N_ODD, WILD, no_regular_files, with_wild_value
from PIL import Image

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
FILE_NAME = "trajectories.jsonl"


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    """Returns a zip file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as opened:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = method
            opened.writestr(member, data)
    return content.getvalue()


def _chosen_archives() -> Iterator[bytes]:
    """Yields archives that are hostile in one way each."""
    names = [f"../../{OUTSIDE}/x", "/etc/x", f"a/../../../{OUTSIDE}/y", "C:/x", "..\\..\\x", "."]
    names += ["x" * 300, "a/" * 200 + "x", "a\nb", "\udc80", "a:b", "nul", " ", "..", "./../x"]
    for name in names:
        yield packed({"good.txt": b"1", name.encode("utf-8", "replace").decode(): b"2"})
    yield packed({"a": b"1", "a/b": b"2"})
    yield packed({"a/b": b"1", "a": b"2"})
    yield packed({"link": f"../../{OUTSIDE}".encode()}, mode=stat.S_IFLNK | 0o777)
    for method in METHODS:
        yield packed({"zeros": bytes(90 * 2**20)}, method)
    text = bytearray(packed({"secret.txt": b"x" * 100}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):  # says that it is encrypted
        at = text.index(mark) + (6 if mark[2] == 3 else 8)
        text[at] |= 1
    yield bytes(text)
    for wrong in (0, 7, 2**31, 2**32 - 1):  # another size than the file has
        text = bytearray(packed({"a.txt": b"x" * 100}))
        at = text.index(b"PK\x01\x02") + 24
        text[at : at + 4] = struct.pack("<I", wrong)
        yield bytes(text)
    yield b""
    yield b"PK\x05\x06" + bytes(18)
    yield bytes(1000)


def archives(folder: Path, n: int, seed: int) -> Iterator[str]:
    """Makes folders with an archive each, and yields their names."""
    rng = random.Random(f"{seed} archives")
    made = list(_chosen_archives())
    files = {"a/1.txt": b"one" * 50, "a/2.bin": bytes(range(256)) * 8, "b.json": b"{}"}
    bases = [packed(files, method) for method in METHODS]
    made += [mutated(bases[number % len(bases)], rng) for number in range(n)]
    for number, content in enumerate(made):
        (folder / f"archive-{number}").mkdir()
        (folder / f"archive-{number}" / "x.zip").write_bytes(content)
        yield f"archive-{number}"
    for number in range(N_ODD):
        (folder / f"archive-odd-{number}").mkdir()
        list(no_regular_files(folder / f"archive-odd-{number}" / "x.zip"))[number]()
        yield f"archive-odd-{number}"


def _record() -> dict[str, Any]:
    """Returns a record as `TrajectoryRecord` writes it."""
    shown = {"images": ["images/a.png"], "question": "What?", "feedback": ""}
    turn = {**shown, "message": "zoom", "action": {"operation": "zoom_in"}, "target_image": 1}
    turn |= {"executed_box": [0.1, 0.1, 0.5, 0.5], "views_added": [2], "reward": 0.0, "info": {}}
    return {
        **{"question": "What?", "choices": ["a", "b"], "first": shown, "turns": [turn, turn]},
        **{"answer": "a", "grade": {"correct": True, "score": 1.0}, "n_calls": 1, "reward": 1.0},
        **{"reward_terms": {"score": 1.0}, "category": "c", "n_operation_errors": 0, "seed": 3},
        **{"sample_id": "s", "task": "t", "terminated": True, "truncated": False},
    }


def records(folder: Path, n: int, seed: int) -> Iterator[str]:
    """Makes folders of recorded episodes, and yields their names."""
    lines: list[bytes] = [text.encode("utf-8", "surrogatepass") for text in BROKEN_TEXTS]
    record = _record()
    for name in record:
        wilds = WILD[:: 1 if n > 50 else 5]
        lines += [json.dumps({**record, name: wild}).encode() for wild in wilds]
    for number in range(n):
        own = random.Random(f"{seed} {number} records")
        changed = with_wild_value(record, own)
        lines.append(json.dumps(changed).encode())
        lines.append(mutated(json.dumps(record).encode(), own))
    whole = json.dumps(record).encode()
    groups = [[*lines[at : at + 10], whole] for at in range(0, len(lines), 10)]
    outer = (f"../{OUTSIDE}/x.png", "/etc/passwd", "http://x/y", "\ud800", "a\0", "<b>")
    groups += [[json.dumps({**record, "first": {"images": [name]}}).encode()] for name in outer]
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    for number, group in enumerate(groups):
        (folder / f"records-{number}" / "images").mkdir(parents=True)
        (folder / f"records-{number}" / "images" / "a.png").write_bytes(picture.getvalue())
        (folder / f"records-{number}" / FILE_NAME).write_bytes(b"\n".join([*group, b""]))
        yield f"records-{number}"
    for number in range(N_ODD):
        (folder / f"records-odd-{number}").mkdir()
        list(no_regular_files(folder / f"records-odd-{number}" / FILE_NAME))[number]()
        yield f"records-odd-{number}"
