"""Resets every row of hostile files, and says what came of it; run in a process of its own.

    python tests/hostile_reader.py QUESTIONS.jsonl OUTSIDE_FOLDER BACKEND

It writes one line of JSON: the faults by row, what else was raised, what was opened outside, the
peak of memory, and the longest reset.
"""

import ctypes
import json
import os
import re
import sys
import time
from pathlib import Path

import av
import decord  # noqa: F401  # imported before anything is watched, like av
import pyarrow.parquet  # noqa: F401
from PIL import Image

from pixel_env import ConfigError, DataError, PixelReasoningEnv
from pixel_env.tasks.records import Records

IN_OPEN, IN_NONBLOCK = 0x20, 0o4000


def watch_folder(folder: str) -> int:
    """Returns a descriptor that becomes readable when a file of a folder is opened, by any code."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(IN_NONBLOCK)
    assert libc.inotify_add_watch(descriptor, os.fsencode(folder), IN_OPEN) > 0
    return descriptor


def opened_names(descriptor: int) -> list[str]:
    """Returns the names that a watch has seen."""
    try:
        data = os.read(descriptor, 2**20)
    except BlockingIOError:
        return []
    names = []
    while data:
        length = int.from_bytes(data[12:16], sys.byteorder)
        names.append(data[16 : 16 + length].rstrip(b"\0").decode())
        data = data[16 + length :]
    return names


def peak_mb() -> int:
    """Returns the most memory that this process had; `ru_maxrss` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024


def main(questions: str, outside: str, backend: str) -> None:
    """Reads every row."""
    found = {"faults": {}, "raised": {}, "opened": [], "audit": [], "n_rows": 0, "longest_s": 0.0}
    data = str(Path(questions).parent)
    libraries = tuple(map(str, {sys.prefix, sys.base_prefix, *filter(None, sys.path)}))

    def watch(event: str, args: tuple) -> None:
        if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "urllib.")):
            found["audit"].append(f"{event} {args!r:.200}")
        if event == "open" and isinstance(args[0], str | bytes):
            path = os.path.abspath(os.fsdecode(args[0]))
            inside = os.path.realpath(path).startswith(data + os.sep)
            if not inside and not path.startswith((*libraries, "/proc", "/sys")):
                found["audit"].append(f"open {path!r:.200}")

    Image.init()
    av.logging.set_level(av.logging.PANIC)
    sys.addaudithook(watch)
    watched = watch_folder(outside)
    before = peak_mb()
    try:
        env = PixelReasoningEnv(Records(questions, video_backend=backend))
    except (DataError, ConfigError) as fault:
        found["faults"]["file"] = str(fault)
        env = None
    for index in range(len(env.task) if env else 0):
        began, cpu_began = time.monotonic(), time.process_time()
        try:
            _, info = env.reset(options={"index": index})
            if "env_error" in info:
                found["faults"][str(index + 1)] = info["env_error"]
        except BaseException as error:  # all that there is: it would have ended an evaluation
            found["raised"][str(index + 1)] = f"{type(error).__name__}: {error}"[:300]
        took = time.monotonic() - began
        cpu_s = time.process_time() - cpu_began
        found["longest_cpu_s"] = max(found.get("longest_cpu_s", 0.0), cpu_s)
        if took > found["longest_s"]:
            found["longest_s"], found["longest_row"] = took, index + 1
        found["n_rows"] += 1
    found["opened"] = opened_names(watched)
    found["peak_mb"] = peak_mb() - before
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
