"""V* Bench on a generated folder of the published shape."""

from __future__ import annotations

import json
import pickle

import pytest
from PIL import Image
from vstar_folder import BOXES, COLOURS, SIZE, add_row, write_vstar

from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.releases.catalogue import RELEASES
from pixel_env.tasks.vstar import VStar


@pytest.fixture
def folder(tmp_path):
    return write_vstar(tmp_path / "vstar", n_attributes=5, n_positions=3)


def edit_row(folder, number, **columns):
    path = folder / "test_questions.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    rows[number].update(columns)
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")


def edit_annotation(folder, content):
    (folder / "direct_attributes" / "sa_4690.json").write_text(content, "utf-8")


def test_rows_become_samples(folder):
    task = VStar(folder)
    sample = task[1]
    assert len(task) == 8
    assert sample.id == "direct_attributes/1"
    assert sample.question == "What is the color of thing 1?"
    assert sample.choices == COLOURS
    assert (sample.right_choice, sample.answers) == (1, ("green",))
    assert sample.category == "direct_attributes"
    assert sample.origin == "test_questions.jsonl row 2"
    assert sample.media[0].size == SIZE


def test_positions_have_two_options_and_two_boxes(folder):
    sample = VStar(folder)[6]
    assert sample.choices == ("Thing 6 is on the left.", "Thing 6 is on the right.")
    assert sample.right_choice == 0
    assert [evidence.image for evidence in sample.evidence] == [1, 1]


def test_evidence_is_the_box_in_fractions(folder):
    (x, y, width, height) = BOXES["direct_attributes"][0]
    (evidence,) = VStar(folder)[0].evidence
    expected = (x / SIZE[0], y / SIZE[1], (x + width) / SIZE[0], (y + height) / SIZE[1])
    assert evidence.box == pytest.approx(expected)


def test_evidence_of_a_turned_picture_is_in_the_turned_frame(folder):
    path = folder / "direct_attributes" / "sa_4690.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (SIZE[1], SIZE[0])).save(path, exif=exif)
    sample = VStar(folder)[0]
    assert sample.media[0].size == SIZE
    assert sample.evidence[0].box[0] == pytest.approx(250 / SIZE[0])


def test_box_over_the_edge_is_cut_there(folder):
    edit_annotation(folder, json.dumps({"bbox": [[-10, 200, 50, 100]]}))
    assert VStar(folder)[0].evidence[0].box == pytest.approx((0, 200 / 240, 40 / 320, 1))


def test_missing_annotation_gives_no_evidence(folder):
    (folder / "direct_attributes" / "sa_4690.json").unlink()
    assert VStar(folder)[0].evidence == ()
    assert len(VStar(folder)[1].evidence) == 1


def test_every_gold_answer_grades_1_and_an_empty_one_0(folder):
    task = VStar(folder)
    for index in range(len(task)):
        sample = task[index]
        letter = "ABCD"[sample.right_choice]
        assert task.grade(sample, sample.answers[0]).score == 1
        assert task.grade(sample, letter).score == 1
        assert task.grade(sample, "").score == 0


def test_right_letters_come_from_the_labels_not_from_the_annotation(folder):
    task = VStar(folder)
    assert [task[index].right_choice for index in range(8)] == [0, 1, 2, 3, 0, 1, 0, 1]


def test_category_chooses_rows(folder):
    assert len(VStar(folder, category="direct_attributes")) == 5
    positions = VStar(folder, category="relative_position")
    assert {positions[index].category for index in range(3)} == {"relative_position"}


def test_question_id_may_be_a_number(folder):
    edit_row(folder, 2, question_id=2)
    assert VStar(folder)[2].id == "direct_attributes/2"


def test_index_of_finds_every_sample_and_suggests_for_others(folder):
    task = VStar(folder)
    assert [task.index_of(task[index].id) for index in range(8)] == list(range(8))
    with pytest.raises(ConfigError, match="Did you mean 'direct_attributes/1'"):
        task.index_of("direct_attribute/1")


def test_index_outside_is_an_index_error(folder):
    for index in (-1, 8):
        with pytest.raises(IndexError, match="from 0 to 7"):
            VStar(folder)[index]


def test_fingerprint_changes_with_the_data_and_the_category(folder):
    before = VStar(folder).fingerprint()
    assert VStar(folder).fingerprint() == before
    assert VStar(folder, category="relative_position").fingerprint() != before
    edit_row(folder, 0, label="B")
    assert VStar(folder).fingerprint() != before


def test_task_can_be_sent_to_a_worker(folder):
    task = pickle.loads(pickle.dumps(VStar(folder)))
    assert task[1].question == "What is the color of thing 1?"


def test_nothing_but_the_questions_is_read_when_made(folder):
    for path in (*folder.glob("*/*.jpg"), *folder.glob("*/*.json")):
        path.unlink()
    task = VStar(folder)
    assert len(task) == 8
    with pytest.raises(DataError, match=r"test_questions\.jsonl row 1: there is no file"):
        task[0]


def test_truncated_picture_is_a_data_error_that_names_file_and_row(folder):
    path = folder / "direct_attributes" / "sa_4690.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    sample = VStar(folder)[0]
    with pytest.raises(DataError, match=r"sa_4690\.jpg \(test_questions\.jsonl row 1\)"):
        sample.media[0].overview((28, 28))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": "direct_attributes/none.jpg"}, "there is no file 'direct_attributes/none.jpg'"),
        ({"image": "../vstar/direct_attributes/sa_4690.jpg"}, r"without '\.\.'"),
        ({"image": "/etc/hostname"}, "expected a relative path, got the absolute"),
        ({"image": "direct_attributes/out.jpg"}, "is a link that leads out of"),
        ({"image": 7}, "expected text in column 'image', got 7"),
        ({"label": "E"}, "expected a label from A to D, .*got 'E'"),
        ({"label": ""}, "expected a label from A to D, .*got ''"),
        ({"label": "AB"}, "expected a label from A to D, .*got 'AB'"),
        ({"text": "What?"}, r"expected a question and options \(A\), \(B\)"),
        ({"text": "What?\n(A) x\n(C) y"}, r"expected a question and options"),
        ({"text": "\n(A) x\n(B) y"}, "blank question"),
        ({"text": "What?\n(A) x\n(B) x"}, "repeated option"),
        ({"question_id": None}, "expected a name or a number in column 'question_id'"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(folder, columns, message):
    (folder.parent / "out.jpg").write_bytes(b"")
    (folder / "direct_attributes" / "out.jpg").symlink_to(folder.parent / "out.jpg")
    edit_row(folder, 0, **columns)
    task = VStar(folder)
    with pytest.raises(DataError, match=rf"^test_questions\.jsonl row 1: .*{message}"):
        task[0]
    assert task[1].right_choice == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"sa_4690\.json: not valid JSON"),
        ("[]", r"expected a list 'bbox' in direct_attributes/sa_4690\.json"),
        ('{"bbox": [[1, 2, 3]]}', r"expected a box \[x, y, width, height\], got \[1, 2, 3\]"),
        ('{"bbox": [["1", 2, 3, 4]]}', "expected a box"),
        ('{"bbox": [[1, 2, NaN, 4]]}', "covers nothing"),
        ('{"bbox": [[400, 2, 10, 10]]}', "covers nothing of the 320x240 picture"),
    ],
)
def test_bad_annotation_names_file_and_row(folder, content, message):
    edit_annotation(folder, content)
    with pytest.raises(DataError, match=rf"^test_questions\.jsonl row 1: .*{message}"):
        VStar(folder)[0]


@pytest.mark.parametrize("category", ["OCR", "", 3])
def test_unknown_category_of_a_row_stays_in_every_selection(folder, category):
    """A row that can't be read is counted wherever it could belong, never lost."""
    edit_row(folder, 3, category=category)
    for chosen, n in ((None, 8), ("direct_attributes", 5), ("relative_position", 4)):
        task = VStar(folder, category=chosen)
        assert len(task) == n
        faults = []
        for index in range(n):
            try:
                _ = task[index]
            except DataError as fault:
                faults.append(str(fault))
        assert len(faults) == 1
        assert faults[0].startswith("test_questions.jsonl row 4: expected")


def test_bad_line_spares_the_others(folder):
    with (folder / "test_questions.jsonl").open("a") as file:
        file.write('{"image": \n')
    task = VStar(folder)
    with pytest.raises(DataError, match=r"test_questions\.jsonl row 9 .*not valid JSON"):
        _ = task[8]
    assert task[7].id == "relative_position/7"


def test_second_row_of_an_id_is_refused(folder):
    edit_row(folder, 1, question_id="0")
    task = VStar(folder)
    assert task[0].id == "direct_attributes/0"
    with pytest.raises(DataError, match=r"^test_questions\.jsonl row 2: id .* row 1 already"):
        _ = task[1]


def test_unknown_split_and_category_are_refused(folder):
    with pytest.raises(ConfigError, match="expected split to be one of test; got 'train'"):
        VStar(folder, split="train")
    with pytest.raises(ConfigError, match="Did you mean 'direct_attributes'"):
        VStar(folder, category="direct_attribute")


def test_missing_data_names_folder_command_and_twin(tmp_path):
    with pytest.raises(ConfigError) as caught:
        VStar(tmp_path / "none")
    message = str(caught.value)
    assert str(tmp_path / "none") in message
    assert f"pixel-reason prepare-data vstar --to {tmp_path / 'none'}" in message
    assert "PixelReason-SyntheticSearch-v0" in message


def test_default_folder_then_hub_cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ConfigError, match=r"data/vstar and in .*hub.*snapshots"):
        VStar()
    snapshots = tmp_path / "hub" / "datasets--craigwu--vstar_bench" / "snapshots"
    cached = snapshots / RELEASES["vstar"].revision
    write_vstar(cached, n_attributes=1, n_positions=0)
    assert len(VStar()) == 1
    write_vstar(tmp_path / "data" / "vstar", n_attributes=2, n_positions=1)
    assert len(VStar()) == 3


def test_newer_revision_in_the_cache_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "datasets--craigwu--vstar_bench"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123abcd\n")
    write_vstar(repository / "snapshots" / "0123abcd", n_attributes=1, n_positions=1)
    assert len(VStar()) == 2


def test_crlf_and_options_on_two_lines_are_read(folder):
    add_row(
        folder,
        20,
        "direct_attributes",
        "One?",
        ("a", "b"),
        1,
        text="One\r\nmore?\r\n(A) a\r\nlong one\r\n(B) b",
    )
    sample = VStar(folder)[8]
    assert (sample.question, sample.choices) == ("One more?", ("a long one", "b"))
