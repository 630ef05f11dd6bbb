"""The viewer's command."""

import json

import gymnasium as gym
import pytest

import pixel_env
from pixel_env.scripts import view
from pixel_env.wrappers import RecordTrajectories


@pytest.fixture
def recorded(tmp_path):
    env = RecordTrajectories(gym.make("PixelReason-SyntheticSearch-v0"), tmp_path / "episodes")
    for index in range(3):
        env.reset(options={"index": index})
        env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
        env.step(pixel_env.answer("B"))
    return tmp_path / "episodes"


def test_a_folder_becomes_a_page_with_links(recorded):
    assert view.main([str(recorded)]) == 0
    text = (recorded / "view.html").read_text()
    assert text.count("<details") == 3
    assert "operation=1" in text
    assert 'src="images/' in text
    assert "base64" not in text
    out = recorded.parent / "x.html"
    assert view.main([str(recorded), "--out", str(out)]) == 0
    assert 'src="episodes/images/' in out.read_text()


def test_a_single_file_holds_its_pictures(recorded):
    assert view.main([str(recorded), "--single-file"]) == 0
    text = (recorded / "view.html").read_text()
    assert text.count("base64") == text.count("<img") == 6
    assert 'src="images/' not in text


def test_a_limit_is_shown_with_how_many_there_are(recorded, capsys):
    assert view.main([str(recorded), "--limit", "2"]) == 0
    assert (recorded / "view.html").read_text().count("<details") == 2
    assert "2 of 3 episodes</title>" in (recorded / "view.html").read_text()
    shown = capsys.readouterr().out
    assert "2 of 3 episodes" in shown
    assert "--limit 3 shows all" in shown
    assert view.main([str(recorded)]) == 0
    assert "of 3" not in capsys.readouterr().out


def test_an_empty_choice_is_an_error_and_writes_nothing(recorded, capsys):
    assert view.main([str(recorded), "--only", "right,wrong"]) == 1
    assert "none is chosen by --only" in capsys.readouterr().out
    assert not (recorded / "view.html").exists()


def test_what_is_wrong_is_one_sentence(tmp_path, capsys):
    assert view.main([str(tmp_path)]) == 1
    assert "expected a folder with trajectories.jsonl" in capsys.readouterr().out
    assert view.main([str(tmp_path), "--limit", "0"]) == 1
    assert "expected --limit >= 1, got 0" in capsys.readouterr().out


def test_an_episode_whose_picture_is_missing_says_so_and_the_others_are_shown(recorded, capsys):
    line = json.loads((recorded / "trajectories.jsonl").read_text().splitlines()[1])
    (recorded / line["first"]["images"][0]).unlink()
    assert view.main([str(recorded)]) == 0
    assert "1 episodes can't be shown, such as: expected a PNG" in capsys.readouterr().out
    text = (recorded / "view.html").read_text()
    assert text.count("<details") == 3
    assert text.count("this episode can&#x27;t be shown") == 1


def test_lines_that_are_no_records_are_counted_and_the_others_shown(recorded, capsys):
    path = recorded / "trajectories.jsonl"
    path.write_bytes(b"[]\n" + path.read_bytes())
    assert view.main([str(recorded)]) == 0
    shown = capsys.readouterr().out
    assert "1 lines are left out, such as:" in shown
    assert "trajectories.jsonl line 1 is no trajectory" in shown
    assert "3 episodes" in shown
