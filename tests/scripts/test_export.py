"""A checkpoint becomes a plain folder, whose policy is the one that was saved."""

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from pixel_env.agents.model.loading import load
from pixel_env.agents.model.trained_with import read_trained_with
from pixel_env.scripts import export, train

BUDGET = [
    *("--threads=1", "--eval-samples=1", "--warm-start=false", "--on-policy.iterations=1"),
    *("--on-policy.groups-per-iteration=1", "--on-policy.group-size=2"),
    *("--on-policy.generation.max-new-tokens=8", "--on-policy.evaluate-every=1"),
]


@pytest.mark.parametrize("rank", [0, 4])
def test_the_exported_policy_is_the_one_that_the_run_wrote(tmp_path, rank):
    run = tmp_path / "run"
    assert train.main([*BUDGET, f"--loading.lora.rank={rank}", "--out", str(run)]) == 0
    for option in ([], ["--best"]):
        out = tmp_path / f"model{len(option)}"
        assert export.main(["--run", str(run), "--out", str(out), *option]) == 0
        got, expected = (load_file(f / "model.safetensors") for f in (out, run / "model"))
        assert got.keys() == expected.keys()
        assert not any("lora" in name for name in got)
        known = read_trained_with(out)
        assert known == read_trained_with(run / "model")
        assert (known.system, known.max_new_tokens, known.max_context) == ("none", 8, 640)
        for name, value in expected.items():
            torch.testing.assert_close(got[name], value, msg=name)
    stock = AutoModelForImageTextToText.from_pretrained(out)
    ours = load(out).model
    for one, other in zip(stock.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_folder_without_a_checkpoint_is_named(tmp_path, capsys):
    assert export.main(["--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "expected a whole checkpoint" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
