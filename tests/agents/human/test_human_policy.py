"""A person is a policy: asked for one episode after the other, with what a policy gets."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from tiny_tasks import PictureTask

from pixel_env import ConfigError, answer, zoom_in
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.human.board import MOST_TEXT, Board
from pixel_env.agents.human.browser import respond
from pixel_env.agents.human.policy import HumanPolicy
from pixel_env.agents.human.terminal import play, read_action
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.policies.direct import DirectPolicy
from pixel_env.errors import ServiceError

SMALL = {"overview_px": [784, 9000], "crop_px": [784, 9000]}


def observation(turn=0, turns_left=3, images=1, first=1, feedback=""):
    return {
        "question": "Which?", "choices": ("a", "b"), "n_frames": 0, "turn": turn,
        "images": tuple(np.full((20, 30, 3), 10 * i, np.uint8) for i in range(images)),
        "first_image": first, "feedback": feedback, "turns_left": turns_left,
    }  # fmt: skip


def given(board, operation, **values):
    """Gives an action for what is shown."""
    state = board.state()
    board.give(
        {"episode": state["episode"], "turn": state["turn"], "operation": operation, **values}
    )


def person(board, acts, stop):
    """Acts like a person: calls `acts` with every new state that asks for an action."""
    version = -1
    while not stop.is_set():
        state = board.state(version, 0.05)
        if state["version"] > version and "episode" in state:
            version = state["version"]
            acts(state)


def test_an_action_is_built_and_what_is_wrong_with_it_the_environment_says():
    board = Board()
    board.begin(0)
    asked = board.ask(observation(), 0)
    with pytest.raises(ConfigError, match="expected one of answer"):
        given(board, "rotate")
    with pytest.raises(ConfigError, match="turn that is shown"):
        board.give({"episode": 1, "turn": 1, "operation": "answer", "text": "A"})
    assert not asked.done()
    given(board, "zoom_in", bbox=[0, 0, 0.5, 1], target_image=7, text="x", frames=[1])
    made = asked.result(1)
    assert made["bbox"].tolist() == zoom_in([0, 0, 0.5, 1])["bbox"].tolist()
    assert made["target_image"] == 7  # there is none: that is for the feedback
    assert made["text"] == answer("")["text"]
    with pytest.raises(ConfigError, match="while a question is shown"):
        board.give({"episode": 1, "turn": 0, "operation": "answer", "text": "A"})


@pytest.mark.parametrize("bbox", ["abc", None, {}, [1], [None] * 4, [1e999] * 4, [[1]] * 4])
def test_a_box_of_any_kind_never_ends_a_session(register, bbox):
    policy = HumanPolicy(serves=False)
    env_id = register("HumanWild", PictureTask, n=1, **SMALL)
    stop = threading.Event()

    def acts(state):
        try:
            given(policy.board, "zoom_in", bbox=bbox, target_image=1)
        except ConfigError:
            given(policy.board, "answer", text="B")

    with ThreadPoolExecutor(1) as threads:
        threads.submit(person, policy.board, acts, stop)
        evaluation = evaluate(policy, EvaluationConfig(env_id, samples=1))
        stop.set()
    assert len(evaluation.results) == 1


def test_lanes_are_played_one_after_the_other_to_their_ends():
    board = Board()
    for lane in range(3):
        board.begin(lane)
    first, second = board.ask(observation(), 0), board.ask(observation(), 1)
    third = board.ask(observation(), 2)
    assert board.state()["episode"] == 1
    given(board, "zoom_in", bbox=[0, 0, 1, 1], target_image=1)
    assert first.done()
    assert "episode" not in board.state()  # lane 0 goes on in a moment
    again = board.ask(observation(1, 2, first=2, feedback="Image 2."), 0)
    state = board.state()
    assert (state["episode"], state["turn"], state["feedback"]) == (1, 1, "Image 2.")
    assert [view["n"] for view in state["views"]] == [1, 2]
    given(board, "answer", text="A")
    assert again.done()
    assert board.state()["episode"] == 2
    given(board, "answer", text="A")
    board.begin(1)
    last = board.ask(observation(turns_left=1), 1)
    assert board.state()["episode"] == 3
    given(board, "answer", text="A")
    assert second.done()
    assert third.done()
    given(board, "zoom_in", bbox=[0, 0, 1, 1], target_image=1)  # the last turn ends an episode
    assert last.done()
    board.begin(2)
    board.ask(observation(), 2)
    assert board.state()["episode"] == 5


def test_a_person_gets_the_pixels_that_a_policy_gets():
    board = Board()
    board.begin(0)
    shown = observation(images=2)
    board.ask(shown, 0)
    for number, image in enumerate(shown["images"], 1):
        with Image.open(io.BytesIO(board.picture(1, number))) as picture:
            assert np.array_equal(np.asarray(picture), image)
    assert board.picture(1, 3) is None
    assert board.picture(2, 1) is None


def test_an_evaluation_of_a_person_is_one_of_a_policy(register, tmp_path):
    env_id = register("HumanPictures", PictureTask, n=4, **SMALL)
    policy, stop = make_policy("human", serves=False), threading.Event()

    def acts(state):
        if state["turn"] == 0:
            box = [0.6, 0.6, 0.9, 0.9]
            return given(policy.board, "zoom_in", bbox=box, target_image=1, thought="There?")
        return given(policy.board, "answer", text="B")

    config = EvaluationConfig(env_id, samples=4, lanes=3, out=tmp_path / "human")
    with ThreadPoolExecutor(1) as threads:
        threads.submit(person, policy.board, acts, stop)
        evaluation = evaluate(policy, config)
        stop.set()
    answered = evaluate(DirectPolicy(), EvaluationConfig(env_id, samples=4))
    assert [each.n_calls for each in evaluation.results] == [1] * 4
    assert all(each.coverage == 1 for each in evaluation.results)
    assert len(answered.results) == 4
    assert evaluation.manifest["privileged"] is False
    for result in read_results(tmp_path / "human" / "results.jsonl"):
        assert result.usage.requests == 2
        assert result.usage.seconds > 0
    records = [json.loads(line) for line in (tmp_path / "human" / "trajectories.jsonl").open()]
    assert [each["turns"][0]["reasoning"] for each in records] == ["There?"] * 4
    assert "reasoning" not in records[0]["turns"][1]
    assert records[0]["turns"][0]["operation"] == "zoom_in"


def test_the_page_gives_actions_and_gets_pictures_and_nothing_else():
    board = Board()
    board.begin(0)
    asked = board.ask(observation(), 0)
    page = respond(board, "GET", "", b"")
    assert b"<script>" in page.body
    assert "unsafe" not in page.policy
    assert json.loads(respond(board, "GET", "state/-1", b"").body)["question"] == "Which?"
    assert respond(board, "GET", "view/1/1.png", b"").kind == "image/png"
    for method, path in [
        *(("GET", "act"), ("GET", "view/1/2.png"), ("GET", "../x"), ("GET", "static/play.js")),
        *(("POST", ""), ("POST", "state/-1"), ("GET", "view/-1/1.png")),
    ]:
        assert respond(board, method, path, b"").status == 404
    for body in (b"", b"[]", b"\xff", b"{", b'{"episode": 1, "turn": 0}', b"[" * 9999):
        assert respond(board, "POST", "act", body).status == 400
    assert not asked.done()
    body = json.dumps({"episode": 1, "turn": 0, "operation": "answer", "text": "x" * 9999})
    assert respond(board, "POST", "act", body.encode()).status == 200
    assert asked.result(1)["text"] == "x" * MOST_TEXT


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("zoom 0.1 0.2 0.3 0.4", {"bbox": [0.1, 0.2, 0.3, 0.4], "target_image": 1}),
        ("zoom 0 0 1 1 in 12", {"bbox": [0.0, 0.0, 1.0, 1.0], "target_image": 12}),
        ("frames 1, 16", {"frames": [1, 16]}),
        ("  a red mug ", {"text": "a red mug"}),
        ("answer zoom", {"text": "zoom"}),
    ],
)
def test_lines_are_actions(line, expected):
    read = read_action(line)
    assert {name: value for name, value in read.items() if name != "operation"} == expected


@pytest.mark.parametrize("line", ["zoom", "zoom 1 2 3", "zoom . . . .", "frames", "frames x", ""])
def test_a_line_that_begins_as_an_operation_is_no_answer(line):
    with pytest.raises(ConfigError, match="zoom X1 Y1 X2 Y2"):
        read_action(line)


def test_a_terminal_shows_a_question_its_pictures_and_the_grade(tmp_path):
    board, said = Board(), []
    board.begin(0)
    asked = board.ask(observation(), 0)
    lines = iter(["?", "zoom 0 0 .5 .5", "B"])

    def follow():
        assert asked.result(5)["bbox"].tolist() == [0, 0, 0.5, 0.5]
        last = board.ask(observation(1, 2, first=2, feedback="Image 2 is a region."), 0)
        assert last.result(5)["text"] == "B"
        board.note(True, 1.0, 1)
        board.finish()

    with ThreadPoolExecutor(1) as threads:
        followed = threads.submit(follow)
        play(board, tmp_path / "views", said.append, lambda: next(lines))
        followed.result(5)
    text = "\n".join(said)
    assert "1. Which?" in text
    assert "(B) b" in text
    assert "frames N N" in text
    assert "Image 2 is a region." in text
    assert "right, score 1" in text
    for number in (1, 2):
        with Image.open(tmp_path / "views" / f"episode-1-view-{number}.png") as picture:
            assert picture.size == (30, 20)


def test_an_end_of_the_input_ends_what_waits():
    board = Board()
    board.begin(0)
    asked = board.ask(observation(), 0)
    board.stop("the input has ended")
    with pytest.raises(ServiceError, match="the input has ended") as fault:
        asked.result(1)
    assert fault.value.stops
