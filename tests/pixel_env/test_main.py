"""`pixel-reason` and `python -m pixel_env`: every command behind one name."""

import builtins
import configparser
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import pixel_env
from pixel_env.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[2]


def settings():
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    return read


def test_help_lists_every_command_with_its_line(capsys):
    for arguments in (["--help"], ["-h"], []):
        assert main(arguments) == 0
        text = capsys.readouterr().out
        for name, command in COMMANDS.items():
            assert f"  {name} " in text
            assert command.line in text
    assert max(map(len, text.splitlines())) <= 90


def test_every_script_of_a_user_is_a_command_and_the_other_way_round():
    names = {path.stem.replace("_", "-") for path in (ROOT / "scripts").glob("*.py")}
    assert names - {"--init--"} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: pixel-reason {name}")


def test_an_underscore_is_as_good(capsys):
    with pytest.raises(SystemExit):
        main(["prepare_data", "--help"])
    assert capsys.readouterr().out.startswith("usage: pixel-reason prepare-data")


def test_an_unknown_command_is_reported_with_the_nearest_one(capsys):
    assert main(["trian"]) == 2
    assert "there is no command 'trian'. Did you mean train?" in capsys.readouterr().err


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pixel_env", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"pixel-reason {pixel_env.__version__}\n")


def test_the_version_is_written_once():
    assert pixel_env.__version__ == version("pixel-reason")
    assert settings()["metadata"]["version"] == "attr: pixel_env.__version__"


def test_the_command_is_installed():
    assert settings()["options.entry_points"]["console_scripts"].split("\n") == [
        "", "pixel-reason = pixel_env.__main__:main",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [("train", "tyro", "train"), ("prepare-data", "rich", "data"), ("train-sb3", "tyro", "sb3")],
)
def test_a_missing_extra_is_one_sentence(name, missing, extra, monkeypatch, capsys):
    real = builtins.__import__

    def without(module, *rest):
        if module.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return real(module, *rest)

    for module in [each for each in sys.modules if each.startswith("pixel_env.scripts")]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("command", "command_line", "kinds"):
        monkeypatch.delitem(sys.modules, f"pixel_env.agents.settings.{module}", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main([name]) == 1
    written = capsys.readouterr().err
    assert f"needs {missing}, of the extra {extra}: pip install 'pixel-reason[{extra}]'" in written


def test_every_extra_that_is_named_is_one():
    extras = settings()["options.extras_require"]
    assert {command.extra for command in COMMANDS.values()} <= set(extras)
    for command in COMMANDS.values():
        assert {"tyro", "rich"} <= {
            line.partition(">")[0] for line in extras[command.extra].split()
        }
