"""Malformed records end as one `DataError` that names file and line, or are left out and counted.

The large corpus runs by name:
`pytest "tests/test_hostile_records.py::test_a_large_corpus_of_malformed_records"`.
"""

import json
import re
import shutil

import gymnasium as gym
import pytest
from dataset_folders.pixel_reasoner import recorded, select_call, write_recorded, zoom_call
from hostile_records import malformed
from tiny_models import tiny_processor, tiny_tokenizer
from tiny_tasks import PictureTask

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.run.config import RunConfig
from pixel_env.agents.run.warm_start_file import open_stored
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.warm_start.demonstration import EncodedDemonstrations, load, save
from pixel_env.agents.warm_start.from_conversations import RecordedDemonstrations
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, DataError
from pixel_env.viewer import read_site
from pixel_env.viewer.written import chunk_script, page

ANSWER = r"It is blue: \boxed{B}"
CONVERSATIONS = {
    "sa1b-1": recorded(zoom_call(0.6, 0.6, 1, 1), zoom_call(0, 0, 0.5, 0.5), ANSWER),
    "sa1b-2": recorded(ANSWER),
    "star-3": recorded(select_call(1), r"\boxed{a wave}", clip=3),
}
SMALL = {"overview_px": [784, 7840], "crop_px": [784, 7840], "width": 200, "height": 160}


@pytest.fixture
def release(tmp_path):
    return write_recorded(tmp_path / "release", CONVERSATIONS)


def environment(release):
    return gym.make("PixelReason-PixelReasonerSFT-v0", data_dir=str(release))


def fault_of(work):
    """Does something; returns the fault that it ended with, None where there was none."""
    try:
        work()
    except (DataError, ConfigError, gym.error.Error) as fault:
        return str(fault)
    except Exception as other:
        return f"raised\n{type(other).__name__}: {other!r:.300}"
    return None


def check(broken, fault, where):
    """The one assertion for all: a fault names file and line, in one line of text."""
    assert "\n" not in fault, (fault[:600], broken[:300])
    assert re.search(where, fault), (fault[:600], broken[:300])
    fault.encode("utf-8")


def of_a_warm_start(folder, release, n):
    """A line of a file of demonstrations: refused when it is opened, or when it is played."""
    path = folder / "demos.jsonl"
    recordings = RecordedDemonstrations(environment(release))
    save(path, [recordings.make(number) for number in range(3)])
    lines = path.read_text().splitlines()
    encoder = Encoder(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "none"
    )
    for number in range(n):
        place = number % 3
        broken = malformed(lines[place], f"warm start {number}")
        written = [line.encode() for line in lines]
        written[place] = broken
        path.write_bytes(b"\n".join(written) + b"\n")

        def play():
            stored, env = open_stored(RunConfig(warm_start_file=str(path)))
            _ = EncodedDemonstrations(stored, encoder, env=env)[:]

        yield broken, fault_of(play), r"demos\.jsonl, line \d"


def of_a_resumed_file(folder, release, n):
    """A line of a file that goes on: read back when demonstrations are made."""
    path = folder / "demos.jsonl"
    save(path, [RecordedDemonstrations(environment(release)).make(0)])
    line = path.read_text().removesuffix("\n")
    for number in range(n):
        broken = malformed(line, f"resumed {number}")
        path.write_bytes(broken + b"\n")
        yield broken, fault_of(lambda: load(path)), r"demos\.jsonl, line 1\b"


def of_conversations(folder, release, n):
    """A recorded conversation: left out and counted by its reason, with file and row."""
    for number in range(n):
        qid = list(CONVERSATIONS)[number % 3]
        row = json.dumps({"qid": qid, "message_list": CONVERSATIONS[qid]})
        broken = malformed(row, f"conversation {number}")
        (release / "release.json").write_bytes(b"[" + broken + b"]")
        left_out = []

        def play(left_out=left_out):
            made = RecordedDemonstrations(environment(release))
            if len(made) and made.make(0) is None:
                assert sum(made.dropped.values()) == 1
                left_out += made.examples.values()

        fault = fault_of(play)
        yield broken, (left_out or [fault])[0], r"release\.json|holds no row"


def of_an_evaluation(folder, n, whole, config):
    """A line of results, trajectories or a manifest, read when an evaluation goes on."""
    names = ("results.jsonl", "trajectories.jsonl", "manifest.json")
    out = config.out
    for number in range(n):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(whole, out)
        path = out / names[number % 3]
        text = path.read_text()
        lines = [text] if path.suffix == ".json" else text.splitlines()
        place = number % len(lines)
        broken = malformed(lines[place], f"evaluation {number}")
        written = [line.encode() for line in lines]
        written[place] = broken
        path.write_bytes(b"\n".join(written) + b"\n")
        where = "expected|manifest|can't be (run again|made)|other settings"
        if path.suffix == ".jsonl":
            where = rf"{re.escape(path.name)} line {place + 1}\b"
        for work in (lambda: evaluate(make_policy("random"), config), lambda: rerun(out)):
            yield broken, fault_of(work), where


def of_a_page(folder, n, whole):
    """A recorded episode on a page: shown, or left out and counted."""
    path = whole / "trajectories.jsonl"
    line = path.read_text().splitlines()[0]
    for number in range(n):
        broken = malformed(line, f"page {number}")
        path.write_bytes(broken + b"\n")
        faults = []

        def show(faults=faults):
            site = read_site(whole)
            page(site.index).encode("utf-8")
            if site.rows:
                chunk_script(site, 0).encode("utf-8")
            faults += site.faults
            assert len(site.rows) == 1 or len(faults) == 1

        raised = fault_of(show)
        named = [str(each) for each in faults] or [raised]
        yield broken, raised or named[0], r"trajectories\.jsonl line 1\b|picture|an episode of"


@pytest.fixture
def tried(tmp_path, release, register):
    """Reads `n` malformed records of every family; returns how many were refused, by family."""
    env_id = register("Pictures", PictureTask)
    (tmp_path / "demos").mkdir()
    whole = tmp_path / "whole"
    settings = {"env_id": env_id, "env_kwargs": {"n": 4, **SMALL}}
    evaluate(make_policy("random"), EvaluationConfig(out=whole, **settings))
    config = EvaluationConfig(out=tmp_path / "again", **settings)
    shutil.copytree(whole, tmp_path / "page")

    def run(n):
        families = {
            "warm start": of_a_warm_start(tmp_path / "demos", release, n),
            "resumed": of_a_resumed_file(tmp_path / "demos", release, n),
            "conversations": of_conversations(tmp_path, release, n),
            "evaluation": of_an_evaluation(tmp_path, n, whole, config),
            "page": of_a_page(tmp_path, n, tmp_path / "page"),
        }
        counts = {}
        for name, family in families.items():
            found = list(family)
            for broken, fault, where in found:
                if fault is not None:
                    check(broken, fault, where)
            counts[name] = (len(found), sum(fault is not None for _, fault, _ in found))
        return counts

    return run


def test_malformed_records_are_one_fault_or_left_out(tried):
    counts = tried(15)
    assert all(refused >= n / 5 for n, refused in counts.values()), counts


@pytest.mark.slow
def test_a_large_corpus_of_malformed_records(tried):
    counts = tried(300)
    assert all(refused >= n / 5 for n, refused in counts.values()), counts
    print(counts)
