"""A page of trajectories holds what was recorded, as text, and nothing else."""

import base64
import io
import json
import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from tiny_tasks import PictureTask

from pixel_env import ConfigError, DataError, PixelReasoningEnv
from pixel_env.recordings import Filter, page, read_episodes
from pixel_env.recordings.episodes import regions_by_view
from pixel_env.wrappers import RecordTrajectories, TextAction

SMALL = {"overview_px": (784, 9000), "crop_px": (784, 9000)}
EVIL = '<script>alert(1)</script><img src="http://example.com/x.png">'


def call(box, image=1):
    arguments = {"bbox_2d": box, "target_image": image}
    body = json.dumps({"name": "crop_image_normalized", "arguments": arguments})
    return f"Let me zoom. <tool_call>{body}</tool_call>"


@pytest.fixture
def folder(tmp_path):
    """Episodes: one zoom and right, two and wrong, one failed, and HTML in messages."""
    folder = tmp_path / "episodes"
    env = RecordTrajectories(TextAction(PixelReasoningEnv(PictureTask(), **SMALL)), folder)
    right = PictureTask()[0].answers[0]
    for messages in (
        [call([0.25, 0.25, 0.5, 0.75]), rf"\boxed{{{right}}}"],
        [call([0, 0, 0.5, 0.5]), call([0.5, 0.5, 1, 1], image=2), r"\boxed{no}"],
        [call([0.9, 0.9, 0.1, 0.1]), r"\boxed{no}"],
        [EVIL + r" \boxed{no}"],
    ):
        env.reset(options={"index": 0})
        for message in messages:
            env.step(message)
    return folder


class Seen(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("img", "input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def shown(folder, **chosen):
    return Seen(page(read_episodes(folder, Filter(**chosen)), folder, "Episodes"))


def test_every_picture_is_part_of_the_page_and_nothing_is_loaded(folder):
    seen = shown(folder)
    records = [json.loads(line) for line in (folder / "trajectories.jsonl").open()]
    names = [
        name for record in records for each in (record["first"], *record["turns"])
        for name in each["images"]
    ]  # fmt: skip
    sources = [attrs["src"] for attrs in seen.all("img")]
    assert len(sources) == len(names) == 7
    for name, source in zip(names, sources, strict=True):
        assert source.startswith("data:image/png;base64,")
        assert base64.b64decode(source.split(",")[1]) == (folder / name).read_bytes()
    assert not any("href" in attrs for _, attrs in seen.elements)
    assert len(seen.all("script")) == 1


def test_pictures_are_linked_and_loaded_when_they_are_seen(folder, tmp_path):
    for page_folder in (folder, tmp_path / "deep" / "below", folder / "images"):
        page_folder.mkdir(parents=True, exist_ok=True)
        seen = Seen(page(read_episodes(folder), folder, "Episodes", page_folder))
        pictures = seen.all("img")
        assert len(pictures) == 7
        for attrs in pictures:
            assert attrs["loading"] == "lazy"
            path = (page_folder / unquote(attrs["src"])).resolve()
            assert path.is_relative_to(folder / "images")
            with Image.open(path) as picture:
                assert picture.size == (int(attrs["width"]), int(attrs["height"]))


def test_a_name_that_means_something_in_a_link_is_quoted(folder):
    name = "images/a b#c%20?.png"
    Image.new("RGB", (8, 8)).save(folder / name)
    record = json.loads((folder / "trajectories.jsonl").read_text().splitlines()[0])
    record["first"]["images"] = [name]
    seen = Seen(page([record], folder, "Episodes", folder))
    assert seen.all("img")[0]["src"] == "images/a%20b%23c%2520%3F.png"


def test_a_photograph_is_embedded_as_jpeg_and_a_drawing_as_it_is(folder):
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8)).resize((800, 600))
    flat = Image.new("RGB", (800, 600), "red")
    record = json.loads((folder / "trajectories.jsonl").read_text().splitlines()[0])
    record["first"]["images"] = ["images/rough.png", "images/flat.png"]
    for picture, name in zip((rough, flat), record["first"]["images"], strict=True):
        picture.save(folder / name)
    sources = [attrs["src"] for attrs in Seen(page([record], folder, "Episodes")).all("img")]
    photograph = base64.b64decode(sources[0].removeprefix("data:image/jpeg;base64,"))
    assert len(photograph) < (folder / "images" / "rough.png").stat().st_size / 2
    shown = np.asarray(Image.open(io.BytesIO(photograph)), int)
    assert np.abs(shown - np.asarray(rough, int)).mean() < 6
    assert sources[1].startswith("data:image/png;base64,")


def test_what_a_policy_says_is_text(folder):
    text = page(read_episodes(folder), folder, "Episodes")
    assert EVIL not in text
    assert EVIL in "".join(Seen(text).texts)


def test_reasoning_that_came_apart_is_shown_as_text(tmp_path):
    env = RecordTrajectories(TextAction(PixelReasoningEnv(PictureTask(), **SMALL)), tmp_path)
    env.reset(options={"index": 0})
    env.turn_notes = {"reasoning": f"So small. {EVIL}"}
    env.step(call([0.25, 0.25, 0.5, 0.75]))
    env.step(r"\boxed{no}")
    text = page(read_episodes(tmp_path), tmp_path, "Episodes")
    assert EVIL not in text
    assert Seen(text).texts.count(f"So small. {EVIL}") == 1  # of the first turn only


def test_an_episode_is_marked_by_how_it_ended(folder):
    marks = [set(attrs["class"].split()) for attrs in shown(folder).all("details")]
    assert marks == [
        {"right", "looked"},
        {"wrong", "looked"},
        {"wrong", "looked", "errors"},
        {"wrong", "unlooked"},
    ]


def test_an_episode_has_a_name_for_links_where_its_sample_was_chosen_by_index(folder):
    path = folder / "trajectories.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[1] |= {"options": {"index": 7}, "repeat": 2}
    records[2] |= {"options": None}
    records[3] |= {"options": {"index": '"><script>'}}
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    names = [attrs.get("id") for attrs in shown(folder).all("details")]
    assert names == ["episode-0-0", "episode-7-2", None, None]


def test_regions_are_drawn_on_the_view_that_they_were_read_from(folder):
    _, nested, *_ = read_episodes(folder)
    (drawn,) = regions_by_view(nested).values()
    assert [region.turn for region in drawn] == [1, 2]
    # the lower right quarter of the upper left quarter, to the pixels of the picture
    assert np.allclose(drawn[1].box, (0.25, 0.25, 0.5, 0.5), atol=0.01)
    frames = [attrs["style"] for attrs in shown(folder, only=("right",)).all("i")]
    left, top, width, height = map(float, re.findall(r":([\d.]+)%", frames[0]))
    assert np.allclose((left, top, width, height), (25, 25, 25, 50), atol=1)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, 4),
        ({"only": ("looked", "wrong")}, 2),
        ({"only": ("errors",)}, 1),
        ({"text": "ALERT(1)"}, 1),
        ({"category": "nothing"}, 0),
    ],
)
def test_episodes_are_chosen(folder, chosen, expected):
    assert len(list(read_episodes(folder, Filter(**chosen)))) == expected


def test_as_many_as_asked_for_are_read_and_a_line_being_written_is_left(folder):
    assert len(list(read_episodes(folder, limit=2))) == 2
    path = folder / "trajectories.jsonl"
    path.write_bytes(path.read_bytes() + b'{"question": "half')
    assert len(list(read_episodes(folder))) == 4


@pytest.mark.parametrize("line", [b"{}\n", b"[1]\n", b"\xff\n", b'{"question": 1}\n', b"null\n"])
def test_a_line_that_is_no_trajectory_is_named(folder, line):
    path = folder / "trajectories.jsonl"
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(DataError, match=r"trajectories\.jsonl line 5 is no trajectory"):
        list(read_episodes(folder))


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.png", "/etc/hostname", "images/gone.png", "a.svg", "images/out.png"),
        *("images/no.png", "a\0.png", "\ud800.png", "images/loop.png", "images/pipe.png", 7, None),
    ],
)
@pytest.mark.parametrize("page_folder", [None, "."])
def test_pictures_from_elsewhere_and_what_is_none_are_refused(folder, name, page_folder):
    (folder.parent / "secret.png").write_bytes(b"secret")
    (folder / "images" / "no.png").write_bytes(b"no picture")
    (folder / "images" / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "images" / "loop.png").symlink_to(folder / "images" / "loop.png")
    os.mkfifo(folder / "images" / "pipe.png")
    record = json.loads((folder / "trajectories.jsonl").read_text().splitlines()[0])
    record["first"]["images"] = [name]
    with pytest.raises(DataError, match="picture"):
        page([record], folder, "Episodes", page_folder)


def test_a_wrong_folder_or_outcome_is_one_sentence(folder):
    with pytest.raises(ConfigError, match=re.escape(f"these hold some: {folder}")):
        list(read_episodes(folder.parent))
    with pytest.raises(ConfigError, match="Did you mean 'right'"):
        Filter(only=("rigth",))
    with pytest.raises(ConfigError, match="limit"):
        list(read_episodes(folder, limit=0))


WILD = [None, True, -1, 10**400, 1e999, "x", "\ud800", [], {}, [[]], {"a": {}}, ["\udfff"] * 4]
"""Values of every type, of which a record may hold any anywhere."""


def places(value, path=()):
    """Yields the path to each value of a record."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def test_records_of_any_values_are_shown_or_named(folder):
    """Each value of a record in turn is replaced by a wild one."""
    lines = (folder / "trajectories.jsonl").read_text().splitlines()
    faults, n_tried = [], 0
    for line in lines[:3]:
        for path in list(places(json.loads(line)))[1:]:
            for wild in WILD[n_tried % 3 :: 3]:  # a third of them at each place
                record = json.loads(line)
                inner = record
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = wild
                (folder / "trajectories.jsonl").write_text(json.dumps(record) + "\n")
                n_tried += 1
                try:
                    text = page(read_episodes(folder), folder, "Episodes", folder)
                except DataError as fault:
                    faults.append(str(fault))
                else:
                    Seen(text.encode("utf-8").decode("utf-8"))
    assert n_tried > 500
    assert 0 < len(faults) < n_tried / 4
    assert not any("\n" in fault for fault in faults)


def test_lines_that_are_no_records_are_passed_over_where_that_is_asked_for(folder):
    path = folder / "trajectories.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes() + b"\xff\n")
    faults = []
    assert len(list(read_episodes(folder, faults=faults))) == 4
    assert [re.search(r"line (\d)", str(fault))[1] for fault in faults] == ["1", "6"]
