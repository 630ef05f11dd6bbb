"""Commands that are killed, or find the disk full, at each of their writes; run as a process.

    python tests/write_faults.py FOLDER COMMAND STEP

For every STEP-th write of COMMAND (1: every one) and each kind of fault a fork of this process runs
the command until the fault, and another one runs it again without. What is left then must be what a
run without a fault leaves, but for times. The last line printed is the count of what was tried, as
JSON; faults are counted by `write_faults.c`, which is loaded before everything else.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path

ENV = "PixelReason-SyntheticSearch-v0"
KINDS = ("kill", "kill halfway", "full")
MOST_SECONDS = 300

SMALL = ["--env-arg", "scene_px=448", "--env-arg", "max_objects=5"]
EVALUATE = ["--env", ENV, *SMALL, "--policy", "random", "--lanes", "1"]
TRAIN = [
    *("--threads=1", "--eval-samples=1", "--demonstrations.n=2", "--imitation.batch-size=2"),
    *("--imitation.epochs=1", "--on-policy.iterations=2", "--on-policy.groups-per-iteration=1"),
    *("--on-policy.group-size=2", "--on-policy.generation.max-new-tokens=2"),
    *("--on-policy.record-every=1", "--measure-base=false", "--on-policy.checkpoint-every=1"),
    *("--lanes=2", "--env-args", '{"max_turns": 1}', "--eval-args", '{"max_turns": 1}'),
]
SB3 = [
    *("--threads=1", "--steps=32", "--n-envs=2", "--rollout-steps=8", "--batch-size=8"),
    *("--epochs=1", "--eval-samples=2", "--checkpoint-every=16", "--evaluate-every=0"),
    *("--view-px=40", "--layers", "[8]", "--width=8"),
]
COMMANDS = {
    "evaluate": lambda at: [*EVALUATE, "--samples", "3", "--out", str(at / "run")],
    "evaluate_controls": lambda at: [*EVALUATE, "--samples=2", "--controls", f"--out={at / 'run'}"],
    "evaluate_extended": lambda at: [*EVALUATE, "--samples", "3", "--out", str(at / "run")],
    "demonstrate": lambda at: ["--env", ENV, *SMALL, "--n=3", f"--out={at / 'demos.jsonl'}"],
    "view": lambda at: [str(at / "run"), "--out", str(at / "run" / "view.html")],
    "export": lambda at: [
        "--run",
        str(at / "run"),
        "--stage=imitation",
        "--out",
        str(at / "model"),
    ],
    "train": lambda at: [*TRAIN, "--out", str(at / "run")],
    "train_sb3": lambda at: [*SB3, "--out", str(at / "run")],
}
PREPARED = {
    "evaluate_extended": ("evaluate", [*EVALUATE, "--samples", "1"]),
    "view": ("evaluate", [*EVALUATE, "--samples", "2"]),
    "export": ("train", [*TRAIN, "--rl=false"]),
}
"""What stands in the folder before the command runs: the command that makes it."""

TIMES = re.compile(
    r'"[\w/]*(?:seconds|per_second)[\w/]*": [^,}]+|[\d.]+ minutes|[0-9a-f]{40}(?:\+changes)?'
)
"""Times, and the revision, which changes while someone works."""

SHOWN_TIMES = re.compile(r"^\| (?:evaluate|warm|RL|all) ?[\w ]*\| [\d.]+ \|$", re.MULTILINE)


def run(name, at):
    """Runs a command in this process; returns its exit code."""
    script = name.partition("_")[0] if name.startswith("evaluate") else name
    return import_module(f"pixel_env.scripts.{script}").main(COMMANDS[name](at))


def forked(at, work):
    """Does something in a fork; returns its exit code, 128 and the signal's number if killed."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(MOST_SECONDS)
        for number in (1, 2):
            file = os.open(at.with_suffix(f".{number}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        code = 99
        try:
            code = work()
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def left(at, name):
    """Returns what a folder holds, without times and without TensorBoard's own files.

    Of a training whose environments begin anew when it goes on, only which files there are.
    """
    if name == "train_sb3":
        folders = ("logs", "checkpoints", "images")
        paths = [path for path in at.rglob("*") if not set(path.parts) & set(folders)]
        return {path.relative_to(at).as_posix(): "" for path in paths if path.is_file()}
    found = {}
    for path in sorted(at.rglob("*")):
        file = path.relative_to(at).as_posix()
        if path.is_dir() or "tfevents" in file:
            continue
        data = path.read_bytes()
        if path.suffix in (".md", ".json", ".jsonl"):
            text = SHOWN_TIMES.sub("", TIMES.sub("", data.decode("utf-8")))
            data = "" if file.endswith(("seconds.json", "/manifest.json")) else text
        found[file] = "" if "/checkpoints/" in file and file.endswith(".json") else data
    return found


def main(folder, name, step):
    """Tries every `step`-th write of a command with each kind of fault."""
    faults = ctypes.CDLL(None)
    at, prepared = folder / "at", folder / "prepared"
    prepared.mkdir(parents=True)
    if name in PREPARED:
        script, arguments = PREPARED[name]
        made = import_module(f"pixel_env.scripts.{script}")
        arguments = [*arguments, "--out", str(at / "run")]
        assert forked(at, lambda: made.main(arguments)) == 0, said(at)
        prepared.rmdir()
        at.rename(prepared)
    begin(at, prepared)
    assert run(name, at) == 0  # in this process, so that no fork has to import anything
    whole, n_writes = whole_run(faults, at, prepared, name)
    tried = dict.fromkeys(KINDS, 0)
    for kind, number in [(k, n) for n in range(1, n_writes + 1, step) for k in range(len(KINDS))]:
        begin(at, prepared)
        first = forked(at, lambda n=number, k=kind: faulty(faults, at, name, n, k))
        where = f"{name}, write {number} of {n_writes}, {KINDS[kind]}: "
        check_first(first, KINDS[kind], said(at), where)
        assert forked(at, lambda: run(name, at)) == 0, f"{where}again: {said(at)}"
        again = left(at, name)
        differing = sorted(
            each for each in again.keys() | whole.keys() if again.get(each) != whole.get(each)
        )
        assert not differing, f"{where}{differing}"
        tried[KINDS[kind]] += first != 0
        print(where, first, flush=True)
    print(json.dumps({"command": name, "writes": n_writes, **tried}))


def whole_run(faults, at, prepared, name):
    """Runs a command without a fault; returns what it leaves, and how often it writes."""
    begin(at, prepared)
    counted = at.with_suffix(".count")

    def work():
        faults.faults_begin(str(at).encode(), ctypes.c_long(0), 0)
        code = run(name, at)
        counted.write_text(str(faults.faults_count()))
        return code

    assert forked(at, work) == 0, said(at)
    return left(at, name), int(counted.read_text())


def faulty(faults, at, name, number, kind):
    faults.faults_begin(str(at).encode(), ctypes.c_long(number), kind)
    return run(name, at)


def begin(at, prepared):
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(prepared, at)


def check_first(code, kind, shown, where):
    """A kill ends at once; a full disk is one sentence, or a file that isn't missed."""
    assert "Traceback" not in shown, where + shown
    if kind == "full" and code:
        assert code == 1, f"{where}{code} {shown}"
        sentences = [each for each in shown.splitlines() if "can't be written: no room" in each]
        assert len(sentences) == 1, where + shown
    elif code:
        assert code == 128 + signal.SIGKILL, f"{where}{code} {shown}"


def said(at):
    return "".join(at.with_suffix(f".{number}").read_text()[-3000:] for number in (1, 2))


if __name__ == "__main__":
    if sys.argv[2].startswith("train") or sys.argv[2] == "export":
        import torch

        torch.set_num_threads(1)
    main(Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3]))
