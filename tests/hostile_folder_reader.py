"""Loads every hostile folder of a kind, and says what came of it; run in a process of its own.

    python tests/hostile_folder_reader.py KIND FOLDER OUTSIDE_FOLDER

FOLDER holds one folder for each model or policy. It writes one line of JSON, as hostile_reader
does: the faults by folder, what else was raised, what was opened outside, the peak of memory, and
the longest load.
"""

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hostile_reader import opened_names, peak_mb, watch_folder

from pixel_env import ConfigError, DataError, PixelReasoningEnv
from pixel_env.tasks.synthetic.search.task import SyntheticSearch


def shown() -> Any:
    """Returns a first observation whose picture suits the models."""
    env = PixelReasoningEnv(SyntheticSearch(), overview_px=(56 * 56, 112 * 112), side_multiple=28)
    return env.reset(options={"index": 0})[0]


def vision_language(folder: Path) -> None:
    """Loads a model and lets it say a few tokens, which are drawn."""
    from pixel_env.agents.policies.by_name import environment_settings
    from pixel_env.agents.policies.vlm import VLMPolicy

    environment_settings(f"vlm:{folder}")
    policy = VLMPolicy.load(folder, max_new_tokens=2, greedy=False, system="none")
    policy.reset(0, 0)
    policy.act([OBSERVATION], [0])


def stable_baselines(folder: Path) -> None:
    """Loads a policy of stable-baselines3 and lets it act once."""
    from pixel_env.agents.policies.sb3 import SB3Policy

    policy = SB3Policy.load(folder)
    policy.reset(0, 0)
    policy.act([OBSERVATION], [0])


def archive(folder: Path) -> None:
    """Unpacks what lies in a folder."""
    from pixel_env.tasks.releases.archives import unpack_all

    unpack_all(folder)


def records(folder: Path) -> None:
    """Makes a page of recorded episodes, as `pixel-reason view` does."""
    from pixel_env.viewer import read_site
    from pixel_env.viewer.written import chunk_script, page

    site = read_site(folder)
    page(site.index | {"data": "", "pictures": ""})
    chunk_script(site, 0)


KINDS: dict[str, Callable[[Path], None]] = {
    "vlm": vision_language,
    "sb3": stable_baselines,
    "archive": archive,
    "records": records,
}

OBSERVATION = shown()
HANGS_S = 15


def hang(number: int, frame: Any) -> None:
    """Ends what takes too long."""
    raise TimeoutError("it hangs")


def main(kind: str, folder: str, outside: str) -> None:
    """Loads every folder."""
    signal.signal(signal.SIGALRM, hang)
    found: dict[str, Any] = {"faults": {}, "raised": {}, "audit": [], "n_rows": 0, "longest_s": 0.0}
    names = sorted(os.listdir(folder))
    warnings.simplefilter("ignore")
    if "intact" in names:
        KINDS[kind](Path(folder) / "intact")  # imports what is imported late
    libraries = tuple(map(str, {sys.prefix, sys.base_prefix, *filter(None, sys.path)}))

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "urllib.")):
            found["audit"].append(f"{event} {args!r:.200}")
        if event == "open" and isinstance(args[0], str | bytes):
            path = os.path.abspath(os.fsdecode(args[0]))
            inside = os.path.realpath(path).startswith(folder + os.sep)
            if not inside and not path.startswith((*libraries, "/proc", "/sys")):
                found["audit"].append(f"open {path!r:.200}")

    sys.addaudithook(watch)
    watched = watch_folder(outside)
    before = peak_mb()
    for name in names:
        began, cpu_began = time.monotonic(), time.process_time()
        np.random.seed(0)
        signal.alarm(HANGS_S)
        try:
            KINDS[kind](Path(folder) / name)
        except (ConfigError, DataError) as fault:
            found["faults"][name] = str(fault)
        except BaseException as error:  # all that there is: it would have ended a command
            found["raised"][name] = f"{type(error).__name__}: {error}"[:300]
        signal.alarm(0)
        took = time.monotonic() - began
        cpu_s = time.process_time() - cpu_began
        found["longest_cpu_s"] = max(found.get("longest_cpu_s", 0.0), cpu_s)
        if took > found["longest_s"]:
            found["longest_s"], found["longest_row"] = took, name
        found["n_rows"] += 1
    found["opened"] = opened_names(watched)
    found["peak_mb"] = peak_mb() - before
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
