"""Which folder a run gets where none is named."""

import pytest

from pixel_env import ConfigError
from pixel_env.agents.run.folders import begun_folder, free_folder


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def begin(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")


def test_a_run_gets_a_new_folder_and_going_on_takes_the_newest():
    assert str(free_folder("Env-vlm:a/b")) == "runs/Env-vlm-a-b-1"
    for number in (1, 2):
        begin(free_folder("tiny"))
        assert str(begun_folder("tiny")) == f"runs/tiny-{number}"
    assert str(free_folder("tiny")) == "runs/tiny-3"


def test_going_on_needs_a_run(tmp_path):
    with pytest.raises(ConfigError, match=r"found none in runs/tiny-1$"):
        begun_folder("tiny")
    with pytest.raises(ConfigError, match=r"found none in .*given"):
        begun_folder("tiny", tmp_path / "given")
    begin(tmp_path / "given")
    assert begun_folder("tiny", tmp_path / "given") == tmp_path / "given"
