"""The viewer's command."""

import gymnasium as gym

import pixel_env
from pixel_env.wrappers import RecordTrajectories
from scripts import view


def test_a_folder_becomes_a_page(tmp_path, capsys):
    env = RecordTrajectories(gym.make("PixelReason-SyntheticSearch-v0"), tmp_path)
    for index in range(3):
        env.reset(options={"index": index})
        env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
        env.step(pixel_env.answer("B"))
    assert view.main([str(tmp_path), "--limit", "2"]) == 0
    text = (tmp_path / "view.html").read_text()
    assert text.count("<details") == 2
    assert "operation=1" in text
    assert "2 episodes" in capsys.readouterr().out
    assert view.main([str(tmp_path), "--only", "right,wrong", "--out", str(tmp_path / "x")]) == 0
    assert (tmp_path / "x").read_text().count("<details") == 0


def test_what_is_wrong_is_one_sentence(tmp_path, capsys):
    assert view.main([str(tmp_path)]) == 1
    assert "expected a folder with trajectories.jsonl" in capsys.readouterr().out
