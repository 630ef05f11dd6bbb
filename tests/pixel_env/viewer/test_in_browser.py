"""The viewer in a real browser: boxes at their pixels, filters, keys, links, and no foreign script.

Runs by name: `pytest -m slow tests/pixel_env/viewer/test_in_browser.py`.
"""

import json
from functools import partial

import numpy as np
import pytest
from browser import CHROMIUM, browser
from PIL import Image

from pixel_env.viewer import read_site, write_site
from pixel_env.viewer.server import LoopbackServer
from pixel_env.viewer.written import respond

BOX, EVIDENCE = (255, 176, 0), (224, 0, 127)
"""The colours that boxes of operations and of evidence are drawn in."""

RED, BLUE = (200, 0, 0), (20, 90, 200)
EVIL = (
    "</script></style><script>window.hit=1</script><img src=x onerror='window.hit=2'>"
    "<svg onload='window.hit=3'>javascript:window.hit=4\" onmouseover=\"window.hit=5"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium to show the page"),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def page(chromium):
    """The browser; a test that leaves a complaint in its console has failed."""
    chromium.complaints.clear()
    chromium.requested.clear()
    chromium.size(1200, 900)
    chromium.scheme("light")
    yield chromium
    assert chromium.complaints == []


def picture(folder, name, size):
    """Writes a blue picture with a red rectangle, from (1/2, 1/4) to (3/4, 1/2)."""
    width, height = size
    drawn = Image.new("RGB", size, BLUE)
    drawn.paste(RED, (width // 2, height // 4, width * 3 // 4, height // 2))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    drawn.save(folder / "images" / name)
    return f"images/{name}"


def episode(folder, index, size=(400, 300), **changes):
    """Returns the record of an episode that zoomed into the red rectangle."""
    name, zoom = picture(folder, f"{size[0]}.png", size), picture(folder, "zoom.png", (100, 80))
    turns = [
        {"message": "<think>Where?</think> <tool_call>{}</tool_call>", "operation": "zoom_in",
         "target_image": 1, "executed_box": [0.5, 0.25, 0.75, 0.5], "images": [zoom],
         "first_image": 2, "feedback": "Image 2 is the region."},
        {"message": "It is red: \\boxed{red}", "operation": "answer", "images": [],
         "token_logprobs": [["It is ", -0.01], ["red", -2.5]]},
    ]  # fmt: skip
    return {
        "sample_id": f"s{index}", "options": {"index": index}, "question": f"Which colour {index}?",
        "choices": ["red", "blue"], "first": {"images": [name], "first_image": 1}, "turns": turns,
        "category": "odd" if index % 2 else "even", "n_calls": 1, "n_operation_errors": 0,
        "answer": "red", "grade": {"correct": index % 3 == 0, "score": float(index % 3 == 0),
                                   "parsed": "red"},
        "reward": 0.5, "reward_terms": {"score": 0.5}, "truncated": False, **changes,
    }  # fmt: skip


def write(folder, records, coverage=None):
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "trajectories.jsonl": records,
        "gold.jsonl": [
            {"index": i, "answers": ["red"], "choices": ["red", "blue"], "right_choice": 0,
             "sources": [1], "evidence": [{"image": 1, "box": [0.55, 0.3, 0.7, 0.45]}]}
            for i in range(len(records))
        ],
        "results.jsonl": [
            {"index": i, "repeat": 0, "coverage": coverage[i], "magnification": 3.0}
            for i in range(len(coverage or ()))
        ],
    }  # fmt: skip
    for name, each in lines.items():
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in each))
    return folder


def written(folder):
    out = folder / "view.html"
    write_site(read_site(folder), out)
    return out.as_uri()


def edges(pixels, colour):
    """Returns (left, top, right, bottom) of what has a colour, the last ones included."""
    rows, columns = np.nonzero(np.abs(pixels - colour).max(axis=2) < 12)
    return np.array([columns.min(), rows.min(), columns.max(), rows.max()])


def stage(page):
    """Returns the pixels of the source picture with its boxes."""
    page.js("document.querySelector('.stage img').scrollIntoView({block: 'center'})")
    page.pictures_loaded()
    x, y, width, height = page.js(
        "(r => [r.x, r.y, r.width, r.height])(document.querySelector('.stage img')"
        ".getBoundingClientRect())"
    )
    shot = page.shot()
    return shot[round(y) : round(y + height), round(x) : round(x + width)]


@pytest.mark.parametrize("size", [(112, 112), (2250, 1500), (300, 200), (400, 1600), (1600, 300)])
@pytest.mark.parametrize("width", [1200, 420])
@pytest.mark.parametrize("kind", ["linked", "single", "served"])
def test_boxes_lie_on_what_they_are_around(page, tmp_path, size, width, kind):
    write(tmp_path, [episode(tmp_path, 0, size)])
    site = read_site(tmp_path)
    page.size(width, 900)
    with LoopbackServer(partial(respond, site)) as server:
        write_site(site, tmp_path / "view.html", is_single=kind == "single")
        address = server.address if kind == "served" else (tmp_path / "view.html").as_uri()
        page.open(f"{address}#s0")
        page.until("document.querySelector('.stage img')")
        pixels = stage(page)
        height, width = pixels.shape[:2]
        assert abs(width / height - size[0] / size[1]) < 0.02 * size[0] / size[1]
        assert max(width, height) >= 100
        wanted = np.array([0.5, 0.25, 0.75, 0.5]) * [width, height, width, height]
        found = edges(pixels, BOX)
        assert np.abs(found - wanted).max() <= 2
        right, bottom = found[2:]
        assert np.abs(pixels[bottom - 4, right - 4] - RED).max() < 12  # within the corner
        assert np.abs(pixels[bottom + 4, right + 4] - BLUE).max() < 12  # and outside
        page.key("e")
        pixels = stage(page)
        wanted = np.array([0.55, 0.3, 0.7, 0.45]) * [width, height, width, height]
        assert np.abs(edges(pixels, EVIDENCE) - wanted).max() <= 2
        page.key("e")


def test_filters_counts_and_sorting(page, tmp_path):
    records = [episode(tmp_path, i) for i in range(9)]
    records[4] |= {"n_calls": 0, "grade": {}, "answer": None, "truncated": True}
    records[5] |= {"env_error": "the file is broken", "grade": {}}
    records[8]["n_operation_errors"] = 2
    page.open(written(write(tmp_path, records, coverage=[1, 0.1, 0.9, *[0.5] * 6])))

    def shown():
        return page.js("[...document.querySelectorAll('.row')].map(e => +e.dataset.i)")

    def chip(name):
        page.js(f"document.querySelector('#chips input[value={json.dumps(name)}]').click()")

    def count(name):
        return page.js(
            f"document.querySelector('#chips input[value={json.dumps(name)}]')"
            ".parentElement.querySelector('span').textContent"
        )

    assert shown() == list(range(9))
    assert page.js("document.getElementById('count').textContent") == "9 of 9 episodes"
    assert [count(name) for name in ("right", "wrong", "no answer", "left out")] == [
        *("3", "4", "1", "1")
    ]
    chip("wrong")
    assert shown() == [1, 2, 7, 8]
    assert count("refused calls") == "1"
    assert count("right") == "0"
    chip("saw it, wrong")
    assert shown() == [2]
    chip("saw it, wrong")
    page.js("(e => { e.value = 'odd'; e.dispatchEvent(new Event('input', {bubbles: true})); })"
            "(document.getElementById('category'))")  # fmt: skip
    assert shown() == [1, 7]
    chip("right")
    assert shown() == []
    assert "Nothing matches" in page.js("document.getElementById('main').textContent")
    chip("right")
    chip("wrong")
    page.js("(e => { e.value = ''; e.dispatchEvent(new Event('input', {bubbles: true})); })"
            "(document.getElementById('category'))")  # fmt: skip
    page.js("(e => { e.value = 'coverage, low first'; "
            "e.dispatchEvent(new Event('input', {bubbles: true})); })"
            "(document.getElementById('sort'))")  # fmt: skip
    assert shown()[0] == 1
    assert shown()[-1] == 0
    page.key("/")
    for letter in "colour 7":
        page.key(letter)
    assert shown() == [7]


def test_text_of_messages_is_found_in_data_that_was_not_loaded(page, tmp_path):
    records = [episode(tmp_path, i) for i in range(30)]
    records[25]["turns"][0]["message"] = "a needle"
    page.open(written(write(tmp_path, records)))
    assert not any(".data/1.js" in each for each in page.requested)
    page.key("/")
    for letter in "needle":
        page.key(letter)
    page.until("document.querySelectorAll('.row').length === 1")
    assert page.js("document.querySelector('.row').dataset.i") == "25"


def test_keys_links_and_what_an_episode_shows(page, tmp_path):
    page.open(written(write(tmp_path, [episode(tmp_path, i) for i in range(5)])))
    for key in "jjk":
        page.key(key)
    assert page.js("document.activeElement.dataset.i") == "0"
    page.key("Enter")
    page.until("document.querySelector('.turn')")
    assert page.js("location.hash") == "#s0"
    page.key("j")
    page.until("document.querySelector('h1')?.textContent === 'Which colour 1?'")
    text = page.js("document.getElementById('main').innerText")
    assert "answered wrong" in text
    assert "A: red" in text
    assert page.js("document.querySelector('.message .thought').textContent") == (
        "<think>Where?</think>"
    )
    assert page.js("document.querySelector('.message .call').textContent") == (
        "<tool_call>{}</tool_call>"
    )
    assert page.js("document.querySelector('.message .answer').textContent") == "\\boxed{red}"
    page.click("#turn-2 input[type=checkbox]")  # probabilities of tokens
    assert page.js("[...document.querySelectorAll('.token')].map(e => e.title)") == [
        *("p = 0.990", "p = 0.0821")
    ]
    page.js("document.querySelector('.stage i').click()")
    assert page.js("document.querySelector('.turn.chosen').id") == "turn-1"
    header = page.js("document.querySelector('header').getBoundingClientRect().bottom")
    assert page.js("document.querySelector('.turn.chosen').getBoundingClientRect().top") >= header
    page.key("u")
    page.until("document.querySelectorAll('.row').length === 5")
    assert page.js("document.activeElement.dataset.i") == "1"
    page.key("?")
    assert page.js("document.getElementById('keys').open")
    page.open(f"{(tmp_path / 'view.html').as_uri()}#episode-3-0")  # of an older report
    page.until("document.querySelector('h1')?.textContent === 'Which colour 3?'")
    page.open(f"{(tmp_path / 'view.html').as_uri()}#no-such")
    page.until("document.querySelector('.warning')")
    page.open(f"{(tmp_path / 'view.html').as_uri()}#%")
    page.until("document.querySelectorAll('.row').length === 5")


def test_stages_stand_side_by_side_and_curves_lead_to_rollouts(page, tmp_path):
    for stage_name, changes in (("base", {"grade": {"correct": False}}), ("RL", {})):
        folder = tmp_path / "evaluation" / stage_name
        write(folder, [episode(folder, i, **changes) for i in range(4)])
    folder = tmp_path / "on_policy" / "rollouts" / "iteration-00000004"
    group = [
        episode(folder, 0, seed=i, rapr=0.25, curiosity_bonus=0.1 * i, advantage=0.5)
        for i in range(4)
    ]
    write(folder, [{**each, "sample_id": "train"} for each in group])
    rows = [{"step": i, "rapr": 1 / i, "learning_trap": float(i == 6)} for i in range(1, 9)]
    (tmp_path / "on_policy" / "metrics.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows)
    )
    page.open(f"{written(tmp_path)}#{'s0@evaluation/base'}")
    page.until("document.querySelectorAll('.card').length === 2")
    assert "right and wrong" in page.js("document.getElementById('main').innerText")
    page.click(".card:not(.here)")
    page.until("location.hash.includes('RL')")
    page.click("#training")
    page.until("document.querySelectorAll('svg polyline').length === 1")
    assert "Learning trap" in page.js("document.querySelector('.warning').textContent")
    assert page.js("document.querySelectorAll('svg .trap').length") == 1
    page.click("svg a")
    page.until("document.querySelectorAll('.row').length === 4")
    page.js("document.querySelector('.row').click()")
    page.until("document.querySelectorAll('.card').length === 4")
    text = page.js("document.querySelector('.cards').innerText")
    assert "RaPR 0.25" in text
    assert "advantage 0.5" in text


def test_a_clip_is_a_strip_of_frames_with_the_selected_and_the_evidence(page, tmp_path):
    clip = episode(tmp_path, 0)
    names = [picture(tmp_path, f"frame{i}.png", (84, 84)) for i in range(6)]
    clip["first"] = {"images": names, "first_image": 1}
    clip["n_frames"] = 6
    clip["turns"][0] = {
        "message": "look", "operation": "select_frames", "frames": [3, 5],
        "images": names[:2], "first_image": 7,
    }  # fmt: skip
    write(tmp_path, [clip])
    gold = {"index": 0, "answers": ["x"], "sources": [1, 9, 17, 25, 33, 41]}
    gold |= {"evidence": [{"image": 12, "box": [0.1, 0.1, 0.5, 0.5]}], "picture_source": 12}
    gold["picture"] = picture(tmp_path, "gold.png", (84, 84))
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    page.open(f"{written(tmp_path)}#s0")
    page.until("document.querySelectorAll('.strip button').length === 6")
    taken = "[...document.querySelectorAll('.strip .taken')].map(e => e.innerText.trim())"
    assert page.js(taken) == ["3 ✓", "5 ✓"]
    page.key("e")
    page.until("document.querySelectorAll('.strip button').length === 7")
    page.click(".strip .ev")
    page.until("document.querySelector('.stage i.ev')")
    assert "frame 12" in page.js("document.querySelector('.stage').innerText")


@pytest.mark.parametrize("is_single", [False, True])
def test_no_text_of_a_record_is_run(page, tmp_path, is_single):
    """In every field, at every depth, and as the name of a picture."""

    def poisoned(value):
        if isinstance(value, dict):
            return {name: poisoned(each) for name, each in value.items()}
        if isinstance(value, list):
            return [poisoned(each) for each in value]
        return EVIL if isinstance(value, str) and not value.startswith("images/") else value

    clean = episode(tmp_path, 0)
    records = [poisoned(clean), {**clean, "category": EVIL}]
    records.append({**clean, "first": {"images": ["javascript:window.hit=6"], "first_image": 1}})
    odd = "images/x' onerror='window.hit=7.png"
    Image.new("RGB", (8, 8)).save(tmp_path / odd)
    records.append({**clean, "first": {"images": [odd], "first_image": 1}})
    write(tmp_path, records)
    gold = poisoned({"answers": ["x"], "choices": ["y"], "evidence": []})
    (tmp_path / "gold.jsonl").write_text(json.dumps({"index": 0, **gold}) + "\n")
    manifest = poisoned({"env_id": "a", "policy": "b", "dialect": "c"})
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "rapr": 0.5}\n')
    site = read_site(tmp_path, title=EVIL)
    write_site(site, tmp_path / "view.html", is_single)
    page.open((tmp_path / "view.html").as_uri())
    page.until("document.querySelectorAll('.row').length === 4")
    for row in site.rows:
        page.js(f"location.hash = encodeURIComponent({json.dumps(row['key'])})")
        page.until("document.querySelector('.turn, .wrong')")
        page.js("document.querySelectorAll('details').forEach(e => { e.open = true; })")
        page.js("document.querySelectorAll('*').forEach(e => e.dispatchEvent("
                "new MouseEvent('mouseover', {bubbles: true})))")  # fmt: skip
    page.js("location.hash = '#/training'")
    page.until("document.querySelector('svg')")
    assert page.js("window.hit") is None
    assert page.js("document.querySelectorAll('main script, main style, main svg[onload]').length"
                   ) == 0  # fmt: skip
    assert not any("javascript:" in each or each[-2:] == "/x" for each in page.requested)


def test_the_policy_of_the_page_stops_a_script_that_gets_in(page, tmp_path):
    write(tmp_path, [episode(tmp_path, 0)])
    page.open(written(tmp_path))
    page.js("(e => { e.textContent = 'window.hit = 1'; document.body.append(e); })"
            "(document.createElement('script'))")  # fmt: skip
    page.js("(e => { e.setAttribute('onclick', 'window.hit = 2'); document.body.append(e);"
            " e.click(); })(document.createElement('b'))")  # fmt: skip
    assert page.js("window.hit") is None
    assert len(page.complaints) == 2
    assert all("Content Security Policy" in each for each in page.complaints)
    page.complaints.clear()


def test_the_page_reads_in_the_dark_and_on_a_phone(page, tmp_path):
    page.open(written(write(tmp_path, [episode(tmp_path, i) for i in range(3)])))
    page.pictures_loaded()
    assert page.shot()[2, 2].min() > 240
    page.scheme("dark")
    assert page.shot()[2, 2].max() < 40
    page.size(360, 640)
    for name in ("", "#s1"):
        page.js(f"location.hash = {json.dumps(name)}")
        page.until(f"document.querySelector('{'.turn' if name else '.row'}')")
        assert page.js("document.documentElement.scrollWidth") <= 360
