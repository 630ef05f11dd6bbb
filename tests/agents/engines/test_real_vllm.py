"""A training on the real vLLM learns as on our own engine. Minutes, by name:

    python -m pytest tests/agents/engines/test_real_vllm.py -m slow

with the interpreter of an environment that has vLLM and this package (docs/engines.md).
PIXEL_REASON_WARM names the model of a finished warm start, to save making one.
"""

import dataclasses
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.files.json_values import plain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("vllm"), reason="vLLM isn't installed"),
]

PROGRAM = Path(__file__).parents[1] / "real_vllm.py"
SAMPLES = 300
SAMPLED = ("reward/mean", "rapr", "accuracy/all", "tokens/response", "update/loss")


def command(out: Path, config: Path, *options: str) -> list[str]:
    given = ["--config", str(config), "--out", str(out), "--threads", "1", *options]
    return [sys.executable, "-m", "pixel_env", "train", *given]


def train(out: Path, config: Path, *options: str) -> None:
    done = subprocess.run(command(out, config, *options), capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.mark.parametrize("architecture", ["qwen2_5_vl", "qwen3_vl"])
def test_pushed_weights_change_what_is_sampled_and_close_the_gap(architecture, tmp_path):
    given = [sys.executable, str(PROGRAM), architecture, str(tmp_path / "model")]
    done = subprocess.run(given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(architecture, found)
    assert found["repeats"]
    assert found["changed"]
    assert max(found[name] for name in ("opened", "pushed", "adapters")) < 1e-4
    assert min(found[name] for name in ("stale", "stale adapters")) > 1e-2


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The tiny policy's settings as a file, as for any other model."""
    path = tmp_path_factory.mktemp("settings") / "tiny.yaml"
    settings = dataclasses.replace(tiny_defaults(), eval_samples=SAMPLES)
    path.write_text(yaml.safe_dump(json.loads(json.dumps(plain(settings, "config")))))
    return path


@pytest.fixture(scope="module")
def warm(config, tmp_path_factory):
    """A policy that zooms."""
    if given := os.environ.get("PIXEL_REASON_WARM"):
        return Path(given)
    out = tmp_path_factory.mktemp("warm")
    train(out, config, "--rl", "false", "--measure-base", "false", "--eval-samples", "1")
    return out / "model"


def from_warm(warm, *options):
    return ("--model", str(warm), "--warm-start", "false", *options)


def test_ten_iterations_on_vllm_learn_as_on_our_own_engine(config, warm, tmp_path):
    scores = {}
    for engine in ("own", "vllm"):
        out = tmp_path / engine
        options = ("--engine", engine, "--on-policy.iterations", "10")
        train(out, config, *from_warm(warm, *options))
        for stage in ("base", "RL"):
            results = read_results(out / "evaluation" / stage / "results.jsonl")
            right = sum(each.correct for each in results) / len(results)
            zoomed = sum(each.n_calls > 0 for each in results) / len(results)
            scores[engine, stage] = right, zoomed
        for line in read_metrics(out / "on_policy"):
            print(engine, {k: v for k, v in line.items() if k in SAMPLED or k.startswith("engine")})
            if engine == "vllm":
                assert line["engine/logprob_gap_max"] < 1e-4
    print(scores)
    interval = 1.96 * (2 * 0.25 / SAMPLES) ** 0.5  # of a difference of two shares
    for stage in ("base", "RL"):
        for own, other in zip(scores["own", stage], scores["vllm", stage], strict=True):
            assert abs(own - other) < interval
    assert scores["vllm", "RL"][0] > scores["vllm", "base"][0]


def test_a_killed_run_goes_on_as_if_it_had_not_been(config, warm, tmp_path):
    options = from_warm(
        warm, "--engine", "vllm", "--on-policy.iterations", "4", "--on-policy.checkpoint-every",
        "1", "--measure-base", "false", "--eval-samples", "20",
    )  # fmt: skip
    train(tmp_path / "whole", config, *options)
    path = tmp_path / "log.txt"
    with path.open("wb") as log:
        given = command(tmp_path / "killed", config, *options)
        killed = subprocess.Popen(given, stdout=log, stderr=log)
    until = time.monotonic() + 900
    while len(read_metrics(tmp_path / "killed" / "on_policy")) < 2:
        assert killed.poll() is None, path.read_text(errors="replace")[-4000:]
        assert time.monotonic() < until
        time.sleep(0.2)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    train(tmp_path / "killed", config, *options)
    lines = [read_metrics(tmp_path / name / "on_policy") for name in ("whole", "killed")]
    assert [line["step"] for line in lines[1]] == [1, 2, 3, 4]
    for whole, resumed in zip(*lines, strict=True):
        print([(name, whole[name], resumed[name]) for name in SAMPLED])
        for name in SAMPLED:
            assert resumed[name] == pytest.approx(whole[name], rel=1e-3, abs=1e-3)
