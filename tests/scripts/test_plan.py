"""The plan's table, whether it fits, and what is asked for wrongly."""

from pathlib import Path

import pytest

from pixel_env.scripts.plan import main


def test_it_says_what_fits_and_what_does_not(capsys):
    small = ["--model", "qwen3-vl-2b", "--lora-rank", "32", "--lanes", "64"]
    assert main(small) == 0
    text = capsys.readouterr().out
    assert "2.13 billion weights" in text
    assert "fits" in text
    assert main([*small, "--gpu-gib", "6"]) == 2
    assert "does not fit" in capsys.readouterr().out


def test_a_folder_with_a_configuration_is_read(capsys):
    folder = Path(__file__).parents[2] / "agents" / "base_weights"
    assert main(["--model", str(folder)]) == 0
    assert "0.00 billion weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "qwen2.5-vl-9b"], "Did you mean"),
        (["--gpu", "a100"], "a100-40"),
        (["--n-gpus", "0"], "expected --n-gpus of at least 1"),
    ],
)
def test_a_wrong_argument_is_one_sentence(capsys, arguments, message):
    assert main(arguments) == 1
    assert message in capsys.readouterr().out
