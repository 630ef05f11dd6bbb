"""Small files that are broken or lead elsewhere, made from seeds: pictures, clips, rows."""

import io
import json
import os
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pictures import png
from PIL import Image
from videos import grey_pictures, moving_pictures, write_video

OUTSIDE = "outside"
"""The folder beside the data whose files nothing may open."""

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA", "PCX", "DDS", "SPIDER", "ICO")
FORMATS += ("JPEG2000", "AVIF", "IM", "SGI", "MPO")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Damages a file: cut, overwritten, shifted, repeated, or with wild numbers in its head."""
    changed, n = bytearray(data), len(data)
    way = rng.randrange(6)
    if way == 0:
        return data[: rng.randrange(n)]
    start = rng.randrange(n)
    end = min(n, start + 1 + rng.randrange(64))
    if way == 1:
        changed[start:end] = rng.randbytes(end - start)
    elif way == 2:
        changed[start:end] = bytes(end - start)
    elif way == 3:
        del changed[start:end]
    elif way == 4:
        changed[start:start] = changed[start:end] * (1 + rng.randrange(40))
    else:
        at = rng.randrange(min(n, 96))
        wild = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"])
        changed[at : at + 4] = wild
    return bytes(changed)


def picture_bases() -> Iterator[tuple[str, bytes]]:
    """Yields an intact small picture of each format and mode that this Pillow writes."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 4), np.uint8)
    for mode in ("RGB", "L", "RGBA", "LA", "CMYK", "I;16", "1", "P"):
        grey = Image.fromarray(pixels[..., 0].astype(np.uint16) * 250)
        picture = grey if mode == "I;16" else Image.fromarray(pixels, "RGBA").convert(mode)
        for name in FORMATS:
            file = io.BytesIO()
            try:
                picture.save(file, name)
            except (OSError, KeyError, ValueError):  # it has no such mode, or isn't built in
                continue
            yield f"{name}-{mode.replace(';', '')}", file.getvalue()


def clip_bases(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yields an intact small clip of each kind."""
    kinds: dict[str, dict[str, Any]] = {
        "a.mp4": {},
        "b.mkv": {},
        "c.avi": {"codec": "mpeg4"},
        "d.ts": {"container_format": "mpegts"},
        "e.webm": {"codec": "libvpx-vp9"},
        "f.h264": {"container_format": "h264"},
    }
    for name, kind in kinds.items():
        write_video(folder / name, moving_pictures(8, 32, 32), **kind)
        yield name, (folder / name).read_bytes()
        (folder / name).unlink()
    frames = [Image.fromarray(each) for each in grey_pictures(range(0, 200, 50))]
    for name in ("GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        frames[0].save(file, name, save_all=True, append_images=frames[1:])
        yield f"g.{name.lower()}", file.getvalue()


def pictures(folder: Path, n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Writes broken pictures, and yields a row for each."""
    bases = list(picture_bases())
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        kind, data = bases[number % len(bases)]
        name = f"{number}-{kind}.{rng.choice(['png', 'jpg', 'bin'])}"
        (folder / name).write_bytes(mutated(data, rng))
        yield {"image": name}
    (folder / "bomb.png").write_bytes(png(30_000, 30_000, 1, 0, bytes(3_751 * 100)))
    yield {"image": "bomb.png"}


def clips(folder: Path, n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Writes broken clips, and yields a row for each."""
    bases = list(clip_bases(folder))
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        name, data = bases[number % len(bases)]
        (folder / f"{number}{name}").write_bytes(mutated(data, rng))
        yield {"video": f"{number}{name}", **rng.choice([{}, {}, {"start": 0.2, "end": 0.6}])}
    unknown = {b"avc1": b"zzzz", b"V_MPEG4/ISO/AVC": b"V_UNKNOWN/OF/US", b"FMP4": b"ZZZZ"}
    for name, data in bases:
        for known, other in unknown.items():
            if known in data:
                (folder / f"unknown-{name}").write_bytes(data.replace(known, other))
                yield {"video": f"unknown-{name}"}


def leading_elsewhere(folder: Path, port: int) -> Iterator[dict[str, Any]]:
    """Writes files that name others outside the folder, and yields a row for each."""
    outside = folder.parent / OUTSIDE
    outside.mkdir()
    write_video(outside / "secret.mp4", grey_pictures([0, 90, 180]), codec="mpeg4")
    write_video(outside / "secret.ts", grey_pictures([0, 90, 180]), container_format="mpegts")
    Image.new("RGB", (32, 32)).save(outside / "secret.png")
    for number in range(1, 4):
        (outside / f"p{number}.png").write_bytes((outside / "secret.png").read_bytes())
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
    lists = {
        "list.m3u8": f"{head}{outside}/secret.ts\n#EXT-X-ENDLIST\n",
        "endless.m3u8": f"{head}{outside}/secret.ts\n",
        "web.m3u8": f"{head}http://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
        "list.mp4": f"ffconcat version 1.0\nfile '{outside}/secret.mp4'\n",
        "list.txt": f"ffconcat version 1.0\nfile out.mp4\nfile 'http://127.0.0.1:{port}/x'\n",
        "page.sdp": f"v=0\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "dash.mpd": f"<MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>",
        "drawing.eps": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    }
    for name, text in lists.items():
        (folder / name).write_text(text)
        yield {"video": name}
        yield {"image": name}
    (folder / "out.mp4").symlink_to(outside / "secret.mp4")
    (folder / "out.png").symlink_to(outside / "secret.png")
    (folder / "out").symlink_to(outside)
    (folder / "frames").mkdir()
    for number in range(1, 4):
        (folder / "frames" / f"{number}.png").symlink_to(outside / f"p{number}.png")
    names = ["out.mp4", "out.png", "out", "out/secret.mp4", "frames", "x%d.png", "out/p%d.png"]
    names += [f"http:/127.0.0.1:{port}/a.mp4", f"http://127.0.0.1:{port}/a.mp4"]
    names += [f"file:{outside}/secret.mp4", f"concat:{outside}/secret.ts", "pipe:0", "fd:0"]
    names += [f"tcp://127.0.0.1:{port}", "../outside/secret.mp4", f"{outside}/secret.mp4"]
    names += ["lavfi:testsrc", "/dev/zero", "data:text/plain,x", f"subfile,,start,0,,:{outside}"]
    for name in names:
        yield {"video": name}
        yield {"image": name}
        yield {"video": [name, name]}
        yield {"images": [name]}
    yield from _no_regular_files(folder)


def _no_regular_files(folder: Path) -> Iterator[dict[str, Any]]:
    """Makes a pipe, a socket and a folder, and yields rows that name them as pictures and clips."""
    os.mkfifo(folder / "pipe.png")
    (folder / "piped").mkdir()
    os.mkfifo(folder / "piped" / "1.png")
    (folder / "folder.mp4").mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket may have some 100 bytes
        bound.bind("socket.png")
        os.chdir(here)
    (folder / "loop.png").symlink_to(folder / "loop.png")
    for name in ("pipe.png", "piped", "folder.mp4", "socket.png", "loop.png", ".", "a\0b"):
        yield {"video": name}
        yield {"image": name}
        yield {"video": [name]}


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yields rows of wild values; each has a picture or a clip that is intact but for the value."""
    Image.new("RGB", (64, 48), "red").save(folder / "good.png")
    write_video(folder / "good.mp4", grey_pictures(range(0, 200, 20)))
    huge = 10**400
    wild = [huge, -huge, 1e999, float("nan"), "", "\ud800", [], {}, [[]], None, True, "x" * 10**5]
    wild += [{"box": [huge] * 4}, [{"box": [0, 0, 1, 1], "image": huge}], [[huge, 0, 1, 1]]]
    for value in wild:
        for column in ("start", "end", "fps", "video"):
            yield {"video": "good.mp4", column: value}
        for column in ("image", "evidence", "choices", "answer", "answers", "question", "id"):
            yield {"image": "good.png", column: value}
        yield {"images": ["good.png", value]}
        yield {"image": "good.png", "category": value}
    yield {"image": "\ud800.png"}
    yield {"image": "good.png", "question": "what \udfff?"}
    yield {"image": "x" * 5000}
    yield {"image": "good.png", "question": "Q" + "\n" * 16_000 + "(A) x\n(B) y"}


def write_rows(path: Path, made: Iterator[dict[str, Any]]) -> int:
    """Writes rows as JSONL, with a question and an answer where they lack them; counts them."""
    lines = [
        json.dumps({"question": "What is it?", "answer": "a wall", **row}, ensure_ascii=True)
        for row in made
    ]
    path.write_text("\n".join(lines))
    return len(lines)


Family = Callable[[Path], Iterator[dict[str, Any]]]
