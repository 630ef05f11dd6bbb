"""What `pip install pixel-reason` gives: the built wheel, alone in a folder that holds no clone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from viewer_pages import details_of

ROOT = Path(__file__).resolve().parents[1]
DEPENDENCIES = [path for path in sys.path if Path(path).name == "site-packages"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `bin` of an environment with the wheel and what it needs, and nothing of this clone."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    copy.mkdir()
    for name in ("pixel_env", "tasks", "agents", "scripts"):  # a build leaves files behind
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "pixel_reason_v1.py"):
        shutil.copy(ROOT / name, copy)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder), str(copy)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    # Lines of a .pth file are folders to import from; .pth files in those are not followed, so an
    # editable installation of this clone is out of sight.
    (site / "dependencies.pth").write_text("\n".join(DEPENDENCIES), encoding="utf-8")
    target = ["--python", str(venv / "bin" / "python")]
    subprocess.run(
        [*pip, *target, "install", "-q", "--no-deps", "--no-index", str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    return venv / "bin"


@pytest.fixture
def call(installed, tmp_path):
    """Calls the installed command from a folder of its own."""

    def run(*arguments):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        return subprocess.run(
            [str(installed / "pixel-reason"), *arguments],
            cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=240,
        )  # fmt: skip

    return run


def test_the_package_is_that_of_the_wheel(installed, tmp_path):
    code = "import pixel_env, pixel_env.scripts, pixel_env.agents; print(pixel_env.__file__)"
    done = subprocess.run(
        [str(installed / "python"), "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip().startswith(str(installed.parent)), done.stderr


def test_every_command_is_there(call):
    done = call("--help")
    assert done.returncode == 0
    assert "  train " in done.stdout
    done = call("train", "--help")
    assert done.returncode == 0, done.stderr
    for word in (
        "usage: pixel-reason train",
        "--on-policy.iterations",
        "Iterations of the training",
    ):
        assert word in done.stdout
    assert call("--version").stdout.startswith("pixel-reason ")


def test_a_policy_is_scored_and_its_episodes_become_a_page(call, tmp_path):
    scored = call(
        "evaluate", "--env", "PixelReason-SyntheticSearch-v0", "--policy", "random",
        "--samples", "3", "--out", "scored",
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    manifest = json.loads((tmp_path / "scored" / "manifest.json").read_text())
    assert manifest["samples"] == 3
    assert manifest["git_revision"] is None
    shown = call("view", "scored", "--single-file")
    assert shown.returncode == 0, shown.stderr
    assert len(details_of(tmp_path / "scored" / "view.html")) == 3


def test_data_that_is_missing_is_told_with_a_command_that_is_there(call):
    done = call("evaluate", "--env", "PixelReason-VStar-v0", "--policy", "random")
    assert done.returncode == 1
    assert "pixel-reason prepare-data vstar --to data/vstar" in done.stdout
    assert "scripts/" not in done.stdout
    checked = call("prepare-data", "vstar", "--check", "nowhere")
    assert checked.returncode == 1
    assert "nowhere" in checked.stdout


def test_the_weights_of_the_tiny_policy_are_inside(installed, tmp_path):
    code = (
        "from pixel_env.agents.model.folders import folder_of\n"
        "from pixel_env.agents.model.trained_with import read_trained_with\n"
        "folder = folder_of('tiny')\n"
        "print((folder / 'model.safetensors').stat().st_size, read_trained_with(folder).system)"
    )
    done = subprocess.run(
        [str(installed / "python"), "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    size, system = done.stdout.split()
    assert int(size) > 1_000_000
    assert system == "none"
