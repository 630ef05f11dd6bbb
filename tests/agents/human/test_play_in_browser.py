"""A person plays in a real browser: drags, clicks, types; what is drawn is what is asked for.

Runs by name: `pytest -m slow tests/agents/human/test_play_in_browser.py`.
"""

import json
import threading

import numpy as np
import pytest
from browser import CHROMIUM, browser
from tiny_tasks import ClipTask, PictureTask

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.human.policy import HumanPolicy

EVIL = "</script><img src=x onerror='window.hit=1'><b onclick='window.hit=2'>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium to show the page"),
]


class EvilTask(PictureTask):
    """Pictures whose texts try to be HTML."""

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        choices = tuple(f"{EVIL}{each}" for each in sample.choices)
        values = {"question": EVIL + sample.question, "choices": choices, "answers": choices[3:]}
        return type(sample)(**{**{f: getattr(sample, f) for f in sample.__slots__}, **values})


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def page(chromium):
    """The browser; a test that leaves a complaint in its console has failed."""
    chromium.complaints.clear()
    chromium.size(1100, 800)
    yield chromium
    assert chromium.complaints == []


@pytest.fixture
def play(page, tmp_path):
    """Begins an evaluation of a person, and opens its page; gives what ends it."""
    policies, threads = [], []

    def begin(env_id, samples):
        policy = HumanPolicy(opens_browser=False)
        config = EvaluationConfig(env_id, samples=samples, out=tmp_path / "played")

        def run():
            evaluate(policy, config, lambda r, n: policy.board.note(r.correct, r.score, n))
            policy.board.finish()

        threads.append(threading.Thread(target=run, daemon=True))
        policies.append(policy)
        threads[0].start()
        page.open(policy.address)
        page.until("!document.getElementById('game').hidden")

        def records():
            threads[0].join(20)
            lines = (tmp_path / "played" / "trajectories.jsonl").read_text().splitlines()
            return [json.loads(line) for line in lines]

        return records

    yield begin
    page.call("Page.navigate", url="about:blank")
    for policy in policies:
        policy.board.stop("the test is over")
        policy.close()


def turn(page, number):
    page.until(f"state.turn === {number} && !document.getElementById('game').hidden")
    page.pictures_loaded()


def stage(page):
    return page.js(
        "(r => [r.x, r.y, r.width, r.height])(document.getElementById('stage')"
        ".getBoundingClientRect())"
    )


@pytest.mark.parametrize("size", [(112, 112), (2000, 1500), (300, 1600)])
@pytest.mark.parametrize("width", [1100, 390])
def test_a_dragged_box_is_what_is_zoomed_into(page, play, register, size, width):
    pixels = {"overview_px": [784, 4_000_000], "crop_px": [784, 4_000_000], "padding": 0}
    task = {"n": 1, "width": size[0], "height": size[1]}
    page.size(width, 800)
    records = play(register("DraggedPictures", PictureTask, **task, **pixels), 1)
    turn(page, 0)
    page.js("document.getElementById('stage').scrollIntoView({block: 'start'})")
    x, y, w, h = stage(page)
    view = page.js("view_of(1)")
    assert abs(view["w"] / view["h"] - size[0] / size[1]) < 0.05 * size[0] / size[1]
    assert abs(w / h - view["w"] / view["h"]) < 0.01 * w / h  # undistorted
    page.drag((x + 0.75 * w, y + 0.5 * h), (x + 0.5 * w, y + 0.4 * h), (x + 0.25 * w, y + 0.25 * h))
    page.js("document.getElementById('zoom').scrollIntoView()")
    page.click("#zoom")
    turn(page, 1)
    assert page.js("document.getElementById('left').textContent").endswith("left")
    assert "Image 2" in page.js("document.getElementById('feedback').textContent")
    page.click("#choices button:nth-child(2)")
    page.until("state.over")
    (record,) = records()
    box = record["turns"][0]["requested_box"]
    assert np.abs(np.array(box) - [0.25, 0.25, 0.75, 0.5]).max() < 2.5 / min(w, h)
    assert record["turns"][1]["action"]["text"] == "B"


def test_the_keyboard_alone_is_enough(page, play, register):
    records = play(register("KeyedPictures", PictureTask, overview_px=[784, 9000]), 2)
    turn(page, 0)
    page.js("document.getElementById('stage').focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):  # the first key makes the box
        page.key(key)
    page.key("z")
    turn(page, 1)
    page.key("1")
    assert page.js("shown") == 1
    page.key("2")
    assert page.js("shown") == 2
    page.key("/")
    for letter in "secret":
        page.key(letter)
    page.key("Enter")
    page.until("state.episode === 2 && state.turn === 0")
    page.until("document.getElementById('tally').textContent.startsWith('0 right of 1')")
    page.js("document.querySelector('#choices button:nth-child(1)').focus()")
    page.key("Enter")
    page.until("state.over")
    first, second = records()
    requested = first["turns"][0]["requested_box"]
    assert np.allclose(requested, [0.27, 0.27, 0.77, 0.77], atol=1e-6)
    assert first["answer"] == "secret"
    assert second["answer"] == "A"


def test_frames_are_chosen_by_their_marks(page, play, register):
    records = play(register("ChosenFrames", ClipTask, overview_px=[784, 9000]), 1)
    turn(page, 0)
    assert page.js("document.querySelectorAll('#strip input').length") == 16
    for number in (7, 3):
        page.js(f"document.querySelectorAll('#strip input')[{number - 1}].click()")
    page.key("f")
    turn(page, 1)
    assert page.js("document.getElementById('feedback').textContent") == (
        "Images 17 and 18 are frames 3 and 7."
    )
    assert page.js("shown") == 17
    page.key("/")
    for letter in "very":
        page.key(letter)
    page.key("Enter")
    page.until("state.over")
    (record,) = records()
    assert record["turns"][0]["frames"] == [3, 7]
    assert record["grade"]["correct"]


def test_no_text_of_a_data_set_is_run(page, play, register):
    records = play(register("EvilPictures", EvilTask, overview_px=[784, 9000]), 1)
    turn(page, 0)
    assert EVIL in page.js("document.getElementById('question').textContent")
    page.click("#choices button:nth-child(1)")
    page.until("state.over")
    assert page.js("window.hit") is None
    assert len(records()) == 1
