"""The viewer's command."""

import json
import re
import signal
import subprocess
import sys
import urllib.request

import gymnasium as gym
import pytest
from viewer_pages import details_of, index_of

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
    out = recorded.parent / "x.html"
    assert view.main([str(recorded), "--out", str(out)]) == 0
    index = index_of(out)
    assert len(index["episodes"]) == len(details_of(out)) == 3
    assert index["pictures"] == "episodes/"
    assert (out.parent / "episodes" / index["episodes"][0]["picture"]["name"]).is_file()


def test_a_single_file_holds_its_pictures(recorded):
    assert view.main([str(recorded), "--single-file"]) == 0
    index = index_of(recorded / "view.html")
    assert len(index["inlined"]) == 6
    assert not (recorded / "view.data").exists()


def test_a_limit_is_shown_with_how_many_there_are(recorded, capsys):
    out = ["--out", str(recorded / "view.html")]
    assert view.main([str(recorded), *out, "--limit", "2"]) == 0
    assert len(index_of(recorded / "view.html")["episodes"]) == 2
    shown = capsys.readouterr().out
    assert "2 of 3 episodes" in shown
    assert "--limit 3 shows all" in shown
    assert view.main([str(recorded), *out]) == 0
    assert "of 3" not in capsys.readouterr().out


def test_an_empty_choice_is_an_error_and_writes_nothing(recorded, capsys):
    assert view.main([str(recorded), "--only", "right,wrong", "--single-file"]) == 1
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
    assert view.main([str(recorded), "--single-file"]) == 0
    assert "1 things can't be shown, such as: expected a PNG" in capsys.readouterr().out
    rows = index_of(recorded / "view.html")["episodes"]
    assert ["broken" in row for row in rows] == [False, True, False]


def test_lines_that_are_no_records_are_counted_and_the_others_shown(recorded, capsys):
    path = recorded / "trajectories.jsonl"
    path.write_bytes(b"[]\n" + path.read_bytes())
    assert view.main([str(recorded), "--single-file"]) == 0
    shown = capsys.readouterr().out
    assert "1 things can't be shown, such as:" in shown
    assert "trajectories.jsonl line 1 is no trajectory" in shown
    assert "3 episodes" in shown


def test_a_folder_is_served_until_it_is_interrupted(recorded):
    process = subprocess.Popen(
        [sys.executable, "-m", "pixel_env.scripts.view", str(recorded), "--no-browser"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        (address,) = next(
            found
            for line in process.stdout
            if (found := re.findall(r"http://127\.0\.0\.1:\S+", line))
        )
        with urllib.request.urlopen(address, timeout=10) as reply:
            assert b'id="index"' in reply.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not (recorded / "view.html").exists()
    finally:
        process.kill()
        process.stdout.close()
