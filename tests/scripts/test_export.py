"""A checkpoint becomes a plain folder, whose policy is the one that was saved."""

import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from pixel_env.agents.model.loading import load

SCRIPTS = Path(__file__).parents[2] / "scripts"
BUDGET = [
    *("--threads=1", "--eval-samples=1", "--warm-start=false", "--on-policy.iterations=1"),
    *("--on-policy.groups-per-iteration=1", "--on-policy.group-size=2"),
    *("--on-policy.max-new-tokens=8", "--on-policy.evaluate-every=1"),
]


@pytest.fixture(scope="module")
def export():
    return runpy.run_path(str(SCRIPTS / "export.py"))["main"]


@pytest.mark.parametrize("lora", ["false", "true"])
def test_the_exported_policy_is_the_one_that_the_run_wrote(export, tmp_path, lora):
    run = tmp_path / "run"
    train = runpy.run_path(str(SCRIPTS / "train.py"))["main"]
    assert train([*BUDGET, f"--lora={lora}", "--out", str(run)]) == 0
    for option in ([], ["--best"]):
        out = tmp_path / f"model{len(option)}"
        assert export(["--run", str(run), "--out", str(out), *option]) == 0
        got, expected = (load_file(f / "model.safetensors") for f in (out, run / "model"))
        assert got.keys() == expected.keys()
        assert not any("lora" in name for name in got)
        for name, value in expected.items():
            torch.testing.assert_close(got[name], value, msg=name)
    stock = AutoModelForImageTextToText.from_pretrained(out)
    ours = load(out).model
    for one, other in zip(stock.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_folder_without_a_checkpoint_is_named(export, tmp_path, capsys):
    assert export(["--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "expected a whole checkpoint" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
