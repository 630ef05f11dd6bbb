"""Finished episodes are on disk, whole; nothing else is."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from pixel_env import ConfigError, OperationError, answer, zoom_in
from pixel_env.wrappers import CuriosityReward, RecordTrajectories, TextAction, TrajectoryFolder

BOX = [0.25, 0.25, 0.75, 0.75]
CALL = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 1]}}</tool_call>'


def lines_of(folder):
    return [json.loads(line) for line in (folder / "trajectories.jsonl").read_text().splitlines()]


def play(env, *actions, **reset):
    first = env.reset(**({"options": {"index": 0}} | reset))[0]
    return [first, *(env.step(action)[0] for action in actions)]


def test_a_line_holds_the_episode_and_its_pictures(make_env, tmp_path):
    env = RecordTrajectories(TextAction(CuriosityReward(make_env())), tmp_path)
    observations = play(env, CALL, "hm", r"It is \boxed{B}", seed=5, options={"index": 2})
    (line,) = lines_of(tmp_path)
    assert (line["sample_id"], line["seed"], line["options"]) == ("tiny-2", 5, {"index": 2})
    assert (line["question"], line["choices"]) == ("Which letter?", ["yes", "no"])
    assert (line["answer"], line["grade"]["correct"]) == ("B", True)
    assert (line["n_calls"], line["n_operations"], line["terminated"]) == (1, 1, True)
    assert line["reward"] == pytest.approx(sum(line["reward_terms"].values())) == 1.0
    zoom, refused, last = line["turns"]
    assert [turn["message"] for turn in line["turns"]] == [CALL, "hm", r"It is \boxed{B}"]
    assert (zoom["operation"], zoom["executed_box"]) == ("zoom_in", [0, 0, 0.5, 1])
    assert (refused["operation_error"], refused["images"]) == ("no_answer", [])
    assert refused["feedback"] == observations[2]["feedback"]
    assert last["reward_terms"] == {"score": 1.0, "curiosity": 0.0, "operations": 0.0}
    for entry, observation in zip((line["first"], zoom), observations, strict=False):
        assert entry["first_image"] == observation["first_image"]
        for name, image in zip(entry["images"], observation["images"], strict=True):
            assert np.array_equal(np.array(Image.open(tmp_path / name)), image)


def test_actions_and_refusals_are_recorded_without_text(make_env, tmp_path):
    env = RecordTrajectories(make_env(), tmp_path)
    nan = zoom_in([0, float("nan"), 1, 1])
    play(env, zoom_in(BOX), nan, OperationError("malformed", "No call."), answer("A"))
    turns = lines_of(tmp_path)[0]["turns"]
    assert turns[0]["action"]["bbox"] == BOX
    assert turns[1]["action"]["bbox"] == [0, "nan", 1, 1]
    assert turns[2]["refusal"] == "No call."
    assert turns[3]["action"]["text"] == "A"


def test_any_text_can_be_recorded(make_env, tmp_path):
    env = RecordTrajectories(TextAction(make_env()), tmp_path)
    play(env, "\ud800 Où? \u2028 猫\n\x00", b"\xff", None, r"\boxed{猫}")
    assert [turn["message"] for turn in lines_of(tmp_path)[0]["turns"]] == [
        "? Où? \u2028 猫\n\x00",
        "\ufffd",
        "",
        r"\boxed{猫}",
    ]


def test_the_same_rollout_gives_the_same_line_and_stores_pictures_once(make_env, tmp_path):
    env = RecordTrajectories(make_env(), tmp_path)
    for _ in range(3):
        play(env, zoom_in(BOX), answer("B"), options={"index": 1})
    lines = lines_of(tmp_path)
    assert lines[0] == lines[1] == lines[2]
    assert len(list((tmp_path / "images").iterdir())) == 2
    assert len(env.folder) == 3


def test_only_every_nth_episode_is_recorded(make_env, tmp_path):
    env = RecordTrajectories(make_env(), tmp_path, every=3)
    for index in (0, 1, 2, 3):
        play(env, answer("B"), options={"index": index})
    assert [line["sample_id"] for line in lines_of(tmp_path)] == ["tiny-0", "tiny-3"]


def test_an_unfinished_episode_leaves_no_line(make_env, tmp_path):
    env = RecordTrajectories(make_env(), tmp_path)
    play(env, zoom_in(BOX), options={"index": 0})
    play(env, answer("B"), options={"index": 1})
    (line,) = lines_of(tmp_path)
    assert line["sample_id"] == "tiny-1"


def test_an_episode_cut_short_is_finished(make_env, tmp_path):
    env = RecordTrajectories(make_env(max_turns=1), tmp_path)
    play(env, zoom_in(BOX))
    (line,) = lines_of(tmp_path)
    assert (line["truncated"], line["terminated"]) == (True, False)
    assert "answer" not in line


def test_a_folder_is_continued(make_env, tmp_path):
    for index in (0, 1):
        env = RecordTrajectories(make_env(), tmp_path / "deep" / "er")
        play(env, answer("B"), options={"index": index})
    assert [line["sample_id"] for line in lines_of(tmp_path / "deep" / "er")] == [
        "tiny-0",
        "tiny-1",
    ]


@pytest.mark.parametrize("rest", [b'{"question": "W', b"x" * 200_000])
def test_a_line_that_a_dying_process_left_half_is_cut_off(make_env, tmp_path, rest):
    play(RecordTrajectories(make_env(), tmp_path), answer("B"), options={"index": 0})
    with (tmp_path / "trajectories.jsonl").open("ab") as lines:
        lines.write(rest)
    play(RecordTrajectories(make_env(), tmp_path), answer("B"), options={"index": 1})
    assert [line["sample_id"] for line in lines_of(tmp_path)] == ["tiny-0", "tiny-1"]
    (tmp_path / "trajectories.jsonl").write_bytes(rest)
    assert len(TrajectoryFolder(tmp_path)) == 0


def test_a_killed_process_loses_only_the_episode_it_was_in(tmp_path):
    code = """
import os, sys
import gymnasium as gym
import pixel_env
from pixel_env.wrappers import RecordTrajectories
env = RecordTrajectories(gym.make("PixelReason-SyntheticSearch-v0"), sys.argv[1])
for seed in range(3):
    env.reset(seed=seed)
    env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    if seed == 2:
        os._exit(9)
    env.step(pixel_env.answer("A"))
"""
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == 9
    lines = lines_of(tmp_path)
    assert [line["seed"] for line in lines] == [0, 1]
    for line in lines:
        for name in line["first"]["images"] + line["turns"][0]["images"]:
            Image.open(tmp_path / name).load()


def test_writers_at_once_do_not_mix_lines(tmp_path):
    folders = [TrajectoryFolder(tmp_path) for _ in range(4)]
    image = np.zeros((28, 28, 3), np.uint8)

    def write(number):
        folder = folders[number % 4]
        folder.append({"number": number, "image": folder.store(image), "filler": "x" * 50_000})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    assert sorted(line["number"] for line in lines_of(tmp_path)) == list(range(40))
    assert [path.suffix for path in (tmp_path / "images").iterdir()] == [".png"]


def test_jpeg_is_smaller_and_near(make_env, tmp_path):
    env = RecordTrajectories(make_env(), tmp_path, image_format="jpeg")
    image = play(env, answer("B"))[0]["images"][0]
    (name,) = lines_of(tmp_path)[0]["first"]["images"]
    assert name.endswith(".jpeg")
    assert Image.open(tmp_path / name).format == "JPEG"
    assert np.array(Image.open(tmp_path / name)).shape == image.shape
    assert os.path.getsize(tmp_path / name) < image.size


def test_wrong_settings_are_refused(make_env, tmp_path):
    with pytest.raises(ConfigError, match="every"):
        RecordTrajectories(make_env(), tmp_path, every=0)
    with pytest.raises(ConfigError, match="Did you mean 'jpeg'"):
        RecordTrajectories(make_env(), tmp_path, image_format="jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        RecordTrajectories(make_env(), tmp_path / "file")
