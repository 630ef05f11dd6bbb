"""The whole path on a CPU with a shrunken model, what is written of it, and wrong arguments."""

import json

import pytest
import torch

from pixel_env.scripts.dev.bench_gpu import main

SMALL = [
    "--device", "cpu", "--layers", "2", "--small", "true", "--groups", "1", "--group-size", "2",
    "--message-tokens", "8", "--demonstrations", "1",
]  # fmt: skip


def test_every_part_runs_and_is_written_beside_the_plan(tmp_path, capsys):
    asked = ["--models", "qwen2.5-vl-3b", "--profile", "true", "--out", str(tmp_path)]
    assert main([*SMALL, *asked]) == 0
    stored = json.loads((tmp_path / "bench_gpu.json").read_text())
    assert stored["settings"]["group_size"] == 2
    assert stored["versions"]["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    (model,) = stored["models"]
    parts = {part["name"]: part for part in model["parts"]}
    assert [part["status"] for part in model["parts"]] == ["ran"] * 11
    rollout = parts["rollout"]["numbers"]
    assert (rollout["rollouts"], rollout["operations"]) == (2, 1.5)
    assert rollout["tokens"] == (2 + 3) * 8, "messages are never ended by the model"
    assert rollout["seconds of reading weights and cache"] > 0
    update = parts["update"]["numbers"]
    assert update["rollouts"] == 2
    share = update["operations needed"] / update["seconds"]
    share /= parts["rates"]["numbers"]["operations a second"]
    assert update["share of the matrix rate"] == pytest.approx(share)
    assert parts["tower"]["numbers"]["largest difference"] < 0.02, "as bfloat16 rounds"
    kernels = parts["kernels"]["numbers"]
    assert any("aten::" in name and seconds > 0 for name, seconds in kernels.items())
    assert {"padded, seconds", "packed, seconds"} <= set(parts["gradients"]["numbers"])
    for name in ("warm start", "rollout", "update"):
        assert parts[name]["tokens_per_second"] > 0
        assert parts[name]["estimated"] > 0
        assert parts[name]["allocated"] is None, "a CPU's memory isn't measured"
    assert model["reference"]["holds"]
    assert model["reference"]["largest"] < 1e-4
    assert model["agreement"]["holds"]
    assert model["agreement"]["n_tokens"] == rollout["tokens"]
    assert model["agreement"]["mean"] > model["reference"]["mean"], "bfloat16 rounds more"
    assert stored["revision"]
    page = (tmp_path / "bench_gpu.md").read_text()
    assert "| qwen2.5-vl-3b | update | ran |" in page
    assert page in capsys.readouterr().out


def test_a_spent_budget_is_reported_and_not_raised(tmp_path, capsys):
    assert main([*SMALL, "--budget-minutes", "0.000001", "--out", str(tmp_path)]) == 2
    stored = json.loads((tmp_path / "bench_gpu.json").read_text())
    assert [model["model"] for model in stored["models"]] == ["qwen2.5-vl-3b", "qwen2.5-vl-7b"]
    assert stored["models"][0]["parts"][-1]["status"] == "not run: there is no model"
    assert "out of time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "qwen2.5-vl-9b", "--device", "cpu"], "Did you mean"),
        (["--device", "gpu"], "expected --device to be a torch device"),
        (["--device", "cpu", "--train", "none"], "train"),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments, message, capsys):
    assert main(arguments) == 1
    assert message in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_what_runs_here(capsys):
    assert main([]) == 1
    assert "--device cpu --layers 2 --small true" in capsys.readouterr().out
