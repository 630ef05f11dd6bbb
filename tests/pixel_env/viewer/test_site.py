"""What a page of recorded episodes holds: rows, views, boxes, gold; and how it is written."""

import base64
import io
import json
import os
import re

import numpy as np
import pytest
from PIL import Image
from recorded_pictures import EVIL, record
from viewer_pages import details_of, index_of

from pixel_env import ConfigError, DataError
from pixel_env.evidence import SEEN_SHARE
from pixel_env.recordings import Filter
from pixel_env.viewer import read_site, write_site
from pixel_env.viewer.episode import episode_of
from pixel_env.viewer.pictures import PagePictures, embedded
from pixel_env.viewer.sources import Source


@pytest.fixture
def folder(tmp_path):
    return record(tmp_path / "episodes")


def lines_of(folder):
    return [json.loads(line) for line in (folder / "trajectories.jsonl").open()]


def write_lines(folder, records):
    text = "".join(json.dumps(each) + "\n" for each in records)
    (folder / "trajectories.jsonl").write_text(text)


def test_a_row_says_how_an_episode_ended(folder):
    rows = read_site(folder).rows
    assert [row["correct"] for row in rows] == [True, False, False, False]
    assert [row["n_calls"] for row in rows] == [1, 2, 1, 0]
    assert [row["n_operation_errors"] for row in rows] == [0, 0, 1, 0]
    assert [row["answer"] for row in rows] == ["secret-0", "no", "no", "no"]
    assert {row["question"] for row in rows} == {"What is hidden in picture 0?"}
    assert {row["category"] for row in rows} == {"hidden"}
    assert [row["turns"] for row in rows] == [2, 3, 2, 1]


def test_views_know_which_part_of_which_source_they_show(folder):
    site = read_site(folder)
    views, regions = site.details[1]["views"], site.details[1]["regions"]
    assert [(view["n"], view["turn"], view["source"], view["root"]) for view in views] == [
        (1, 0, 1, 1),
        (2, 1, 1, 1),
        (3, 2, 1, 1),
    ]
    # the lower right quarter of the upper left quarter, to the pixels of the picture
    assert np.allclose(views[2]["box"], (0.25, 0.25, 0.5, 0.5), atol=0.01)
    assert [(each["turn"], each["view"]) for each in regions] == [(1, 1), (2, 1)]
    assert [each["box"] for each in regions] == [view["box"] for view in views[1:]]
    assert site.rows[1]["boxes"] == regions


def test_gold_and_results_beside_the_trajectories_are_part_of_a_row(folder):
    gold = {
        "index": 0, "sample_id": "picture-0", "answers": ["secret-0"], "choices": ["a", "b"],
        "right_choice": 1, "evidence": [{"image": 1, "box": [0.7, 0.7, 0.8, 0.8]}], "sources": [1],
    }  # fmt: skip
    (folder / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    result = {"index": 0, "repeat": 0, "coverage": 0.5, "magnification": 3.0, "iou": 0.1}
    result["usage"] = {"completion_tokens": 17, "seconds": 2.5}
    (folder / "results.jsonl").write_text(json.dumps(result) + "\n")
    site = read_site(folder)
    row = site.rows[0]
    assert (row["gold"], row["coverage"], row["tokens"]) == ("B: secret-0", 0.5, 17)
    assert site.details[0]["gold"]["evidence"] == [{"source": 1, "box": (0.7, 0.7, 0.8, 0.8)}]
    assert site.details[0]["magnification"] == 3.0
    assert site.index["seen_share"] == SEEN_SHARE


def test_log_probabilities_of_tokens_are_with_their_message_and_not_in_the_raw_record(folder):
    record_ = lines_of(folder)[0] | {"advantage": -0.25}
    record_["turns"][0]["token_logprobs"] = [["<", -0.5], ["", -1e-7], ["odd"], [3, "x"]]
    write_lines(folder, [record_])
    site = read_site(folder)
    detail = site.details[0]
    assert detail["turns"][0]["logprobs"] == [("<", -0.5), ("", -1e-7)]
    assert detail["turns"][1]["logprobs"] is None
    del record_["turns"][0]["token_logprobs"]
    assert json.loads(detail["raw"]) == record_
    assert site.rows[0]["advantage"] == -0.25


def test_a_structured_action_is_written_with_its_own_arguments_alone(folder):
    record_ = lines_of(folder)[0]
    record_["turns"][0] |= {
        "message": None, "operation": "zoom_in",
        "action": {"operation": 1, "bbox": [0.25, 0.123456, 1, 1], "target_image": 1, "text": "",
                   "frames": [0] * 16},
    }  # fmt: skip
    record_["turns"][1] |= {
        "message": None, "operation": "select_frames",
        "action": {"operation": 2, "frames": [0, 1, 0, 0, 0, 1]},
    }  # fmt: skip
    write_lines(folder, [record_])
    first, second = read_site(folder).details[0]["turns"]
    assert "bbox = [0.25, 0.123, 1, 1]" in first["action"]
    assert "frames" not in first["action"]
    assert second["action"] == "frames = [2, 6]"


def test_selected_frames_know_their_frame_and_stand_for_the_episode(folder):
    records = lines_of(folder)
    picture = records[0]["first"]["images"][0]
    records[0]["first"] = {"images": [picture] * 3, "first_image": 1}
    records[0]["turns"][0] |= {"frames": [3], "images": [picture], "first_image": 4}
    del records[0]["turns"][0]["executed_box"]
    (folder / "gold.jsonl").write_text(json.dumps({"index": 0, "sources": [5, 10, 15]}) + "\n")
    write_lines(folder, records[:1])
    views = read_site(folder).details[0]["views"]
    assert [(view["n"], view["source"]) for view in views] == [(1, 5), (2, 10), (3, 15), (4, 15)]
    assert views[3]["frame"] == 3


def test_episodes_have_names_that_differ(folder):
    records = lines_of(folder)
    records[1] |= {"options": {"index": 7}, "repeat": 2}
    records[2] |= {"sample_id": "x"}
    records[3] |= {"sample_id": '"><script>'}
    write_lines(folder, [*records, records[0]])
    keys = [row["key"] for row in read_site(folder).rows]
    assert keys == ["picture-0", "picture-0~2", "x", '"><script>', "picture-0#2"]
    write_lines(folder.parent / "episodes", records)
    other = folder.parent / "b"
    record(other)
    keys = [row["key"] for row in read_site(folder.parent).rows]
    assert keys[0] == "picture-0@b"
    assert keys[4] == "picture-0@episodes"
    assert len(set(keys)) == len(keys) == 8


def test_stages_come_in_their_order_and_curves_with_their_warnings(tmp_path):
    for name in ("evaluation/RL", "evaluation/base", "evaluation/warm_start"):
        record(tmp_path / name)
    rollouts = tmp_path / "on_policy" / "rollouts" / "iteration-00000003"
    record(rollouts)
    steps = [{"step": i, "rapr": 0.5, "update/entropy": None} for i in range(1, 5)]
    steps[3]["learning_trap"] = 1.0
    text = "".join(json.dumps(each) + "\n" for each in steps)
    (tmp_path / "on_policy" / "metrics.jsonl").write_text(text + '{"step": 5, "ra')
    (tmp_path / "evaluation" / "base" / "manifest.json").write_text('{"env_id": "E"}')
    index = read_site(tmp_path).index
    assert [each["name"] for each in index["sources"]] == [
        *("evaluation/base", "evaluation/warm_start", "evaluation/RL"),
        "on_policy/rollouts/iteration-00000003",
    ]
    assert index["sources"][0]["env_id"] == "E"
    assert [each["iteration"] for each in index["sources"]] == [None, None, None, 3]
    (curve,) = index["curves"]
    assert (curve["name"], curve["steps"]) == ("on_policy", [1, 2, 3, 4])
    assert curve["series"] == {"rapr": [0.5] * 4, "learning_trap": [None] * 3 + [1.0]}


def test_a_long_training_is_thinned_and_keeps_its_warnings(tmp_path):
    record(tmp_path)
    rows = [{"step": i, "rapr": i / 5000} for i in range(1, 5001)]
    rows[4321]["learning_trap"] = 1.0
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (curve,) = read_site(tmp_path).index["curves"]
    assert len(curve["steps"]) <= 401
    assert rows[4321]["step"] in curve["steps"]


def test_a_limit_holds_for_each_folder_and_what_is_picked_is_beyond_it(tmp_path):
    for name in "ab":
        record(tmp_path / name)
    site = read_site(tmp_path, limit=2)
    assert (len(site.rows), site.n_chosen) == (4, 8)
    site = read_site(tmp_path, limit=1, pick=lambda source, record: record["n_calls"] == 0)
    assert [(row["source"], row["n_calls"]) for row in site.rows] == [
        (0, 1),
        (0, 0),
        (1, 1),
        (1, 0),
    ]
    assert len(read_site(tmp_path, chosen=Filter(("looked", "wrong"))).rows) == 4


def test_a_page_holds_rows_and_its_data_lies_beside_it(folder, tmp_path):
    for out in (folder / "view.html", tmp_path / "deep" / "below" / "x y.html"):
        out.parent.mkdir(parents=True, exist_ok=True)
        site = read_site(folder)
        write_site(site, out)
        index = index_of(out)
        assert json.loads(json.dumps(site.rows)) == index["episodes"]
        assert json.loads(json.dumps(site.details)) == details_of_quoted(out, index)
        for row in index["episodes"]:
            from_page = out.parent / index["pictures"].replace("%20", " ") / row["picture"]["name"]
            with Image.open(from_page) as picture:
                assert picture.size == (row["picture"]["w"], row["picture"]["h"])
        assert "base64" not in out.read_text().partition("</head>")[2]


def details_of_quoted(out, index):
    folder = out.parent / index["data"].replace("%20", " ")
    assert folder.name == f"{out.stem}.data"
    return json.loads((folder / "0.js").read_text().removeprefix("loaded(0,").removesuffix(")\n"))


def test_a_single_file_holds_data_and_pictures(folder):
    write_site(read_site(folder), folder / "one.html", is_single=True)
    index = index_of(folder / "one.html")
    assert len(details_of(folder / "one.html")) == 4
    assert not (folder / "one.data").exists()
    names = {view["picture"]["name"] for each in index["all"] for view in each["views"]}
    assert names == set(index["inlined"]) == {p.relative_to(folder).as_posix() for p in
                                              (folder / "images").iterdir()}  # fmt: skip
    for name, source in index["inlined"].items():
        assert (
            base64.b64decode(source.removeprefix("data:image/png;base64,"))
            == (folder / name).read_bytes()
        )


def test_a_photograph_is_embedded_as_jpeg_and_a_drawing_as_it_is(tmp_path):
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8)).resize((800, 600))
    rough.save(tmp_path / "rough.png")
    Image.new("RGB", (800, 600), "red").save(tmp_path / "flat.png")
    source = embedded(tmp_path / "rough.png")
    photograph = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
    assert len(photograph) < (tmp_path / "rough.png").stat().st_size / 2
    shown = np.asarray(Image.open(io.BytesIO(photograph)), int)
    assert np.abs(shown - np.asarray(rough, int)).mean() < 6
    assert embedded(tmp_path / "flat.png").startswith("data:image/png;base64,")


def test_no_text_can_end_the_script_that_holds_it(folder):
    records = lines_of(folder)
    ends = "</script><!--<script>]]>&lt;\u2028"
    records[0] |= {"question": ends, "sample_id": ends, "answer": ends, "category": ends}
    records[0]["turns"][0]["message"] = ends
    write_lines(folder, records)
    write_site(read_site(folder, ends), folder / "view.html")
    text = (folder / "view.html").read_text()
    assert text.count("</script") == 2
    assert text.count("<!--") == 0
    assert EVIL not in text
    assert index_of(folder / "view.html")["episodes"][0]["question"] == ends
    assert "<" not in (folder / "view.data" / "0.js").read_text()


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.png", "/etc/hostname", "images/gone.png", "a.svg", "images/out.png"),
        *("images/no.png", "a\0.png", "\ud800.png", "images/loop.png", "images/pipe.png", 7, None),
        *("linked/secret.png", "images/../../secret.png", "javascript:alert(1).png"),
    ],
)
def test_pictures_from_elsewhere_and_what_is_none_are_refused(folder, name):
    (folder.parent / "secret.png").write_bytes(b"secret")
    (folder / "images" / "no.png").write_bytes(b"no picture")
    (folder / "images" / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "images" / "loop.png").symlink_to(folder / "images" / "loop.png")
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "images" / "pipe.png")
    pictures = PagePictures(folder.resolve())
    with pytest.raises(DataError, match="picture"):
        pictures.facts("", name)
    assert pictures.found == {}
    records = lines_of(folder)
    records[0]["first"]["images"] = [name]
    write_lines(folder, records)
    site = read_site(folder)
    assert len(site.rows) == 4
    assert "picture" in site.rows[0]["broken"]
    assert len(site.faults) == 1


def test_folders_behind_links_are_not_searched(folder, tmp_path):
    inside = tmp_path / "inside"
    record(inside / "a")
    (inside / "b").symlink_to(folder)
    (inside / "c").mkdir()
    (inside / "c" / "trajectories.jsonl").symlink_to(folder / "trajectories.jsonl")
    assert [each["name"] for each in read_site(inside).index["sources"]] == ["a"]


def test_nothing_to_show_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="expected a folder with trajectories"):
        read_site(tmp_path)
    with pytest.raises(ConfigError, match="limit >= 1"):
        read_site(tmp_path, limit=0)


@pytest.mark.parametrize("name", ["gold.jsonl", "results.jsonl", "manifest.json", "metrics.jsonl"])
@pytest.mark.parametrize("line", [b"{\n", b"\xff\n", b"[[[[\n"])
def test_a_file_beside_that_cannot_be_read_is_left_out(folder, name, line):
    (folder / name).write_bytes(line)
    site = read_site(folder)
    assert len(site.rows) == 4
    assert name in str(site.faults[0])


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
    gold = {"index": 0, "answers": ["x"], "evidence": [{"image": 1, "box": [0, 0, 1, 1]}]}
    pictures = PagePictures(folder.resolve())
    broken = n_tried = 0
    for record_ in lines_of(folder)[:3]:
        for path in list(places(record_))[1:]:
            for wild in WILD[n_tried % 3 :: 3]:  # a third of them at each place
                changed = json.loads(json.dumps(record_))
                inner = changed
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = wild
                n_tried += 1
                if "question" not in changed or not isinstance(changed["question"], str):
                    continue  # `read_episodes` names it
                made = episode_of(changed, Source("", folder, gold={0: gold}), 0, pictures)
                json.dumps([made.row, made.detail], allow_nan=False)
                broken += made.fault is not None
                assert "\n" not in str(made.fault or "")
    assert n_tried > 500
    assert 0 < broken < n_tried / 4


def test_gold_of_any_values_is_shown_or_named(folder):
    gold = {"index": 0, "answers": ["x"], "right_choice": 0, "sources": [1], "picture_source": 2}
    gold |= {"evidence": [{"image": 1, "box": [0, 0, 1, 1]}], "picture": "images/none.png"}
    pictures, record_ = PagePictures(folder.resolve()), lines_of(folder)[0]
    for path in list(places(gold))[1:]:
        for wild in WILD:
            changed = json.loads(json.dumps(gold))
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = wild
            made = episode_of(record_, Source("", folder, gold={0: changed}), 0, pictures)
            json.dumps([made.row, made.detail], allow_nan=False)
            assert made.fault is None or re.search("picture|episode", str(made.fault))
