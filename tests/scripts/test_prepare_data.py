"""Fetching and checking V* without a network."""

from __future__ import annotations

import json
import shutil

import huggingface_hub
import pytest
from dataset_folders import hrbench, mvbench
from dataset_folders.files import write_picture
from vstar_folder import write_vstar

from pixel_env.scripts.prepare_data import main


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_vstar(tmp_path_factory.mktemp("whole") / "vstar", n_attributes=115, n_positions=76)


def test_whole_folder_passes_the_check(whole, capsys):
    assert main(["vstar", "--check", str(whole)]) == 0
    printed = capsys.readouterr().out
    assert "191 questions (direct_attributes 115, relative_position 76)" in printed
    assert "191 with evidence boxes; licence: none declared" in printed


def test_check_names_every_fault(whole, tmp_path, capsys):
    folder = shutil.copytree(whole, tmp_path / "copy")
    (folder / "direct_attributes" / "sa_4690.jpg").unlink()
    broken = folder / "direct_attributes" / "sa_4691.jpg"
    broken.write_bytes(broken.read_bytes()[:-300])
    assert main(["vstar", "--check", str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "test_questions.jsonl row 1: there is no file" in printed
    assert "sa_4691.jpg (test_questions.jsonl row 2) can't be read" in printed
    assert "expected 191 good questions (direct_attributes 115, relative_position 76)" in printed


def test_check_of_a_missing_folder_is_one_sentence(tmp_path, capsys):
    assert main(["vstar", "--check", str(tmp_path / "none")]) == 1
    assert str(tmp_path / "none") in capsys.readouterr().out


def test_fetch_asks_for_the_pinned_revision_and_checks_what_came(
    whole, tmp_path, monkeypatch, capsys
):
    asked = {}

    def snapshot_download(repository, **arguments):
        asked.update(arguments, repository=repository)
        shutil.copytree(whole, arguments["local_dir"])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert main(["vstar", "--to", str(tmp_path / "to")]) == 0
    assert (asked["repository"], asked["repo_type"]) == ("craigwu/vstar_bench", "dataset")
    assert asked["revision"] == "d9ae62c903da0c98336e85c5ee89cd863b04b4da"
    assert "licence: none declared" in capsys.readouterr().out


def test_no_network_is_one_sentence_and_exit_code_1(tmp_path, monkeypatch, capsys):
    def snapshot_download(*_, **__):
        try:
            raise OSError("Name or service not known")
        except OSError as error:
            raise RuntimeError("a long story") from error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert main(["vstar", "--to", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "(OSError: Name or service not known); run the same command again" in printed
    assert "a long story" not in printed


@pytest.fixture
def hub(monkeypatch):
    """Stands for the hub: notes what is asked, and writes HR-Bench."""
    asked = {}

    class Api:
        def dataset_info(self, repository):
            return type("Info", (), {"sha": f"newest-of-{repository}"})()

    def snapshot_download(repository, **arguments):
        asked.update(arguments, repository=repository)
        arguments["local_dir"].mkdir(parents=True, exist_ok=True)
        hrbench.write_hrbench(arguments["local_dir"])

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def test_newest_revision_is_resolved_told_and_fetched(hub, tmp_path, capsys):
    main(["hrbench", "--to", str(tmp_path), "--quick"])
    assert hub["revision"] == "newest-of-DreamMr/HR-Bench"
    assert hub["allow_patterns"] == ["hr_bench_4k.parquet", "hr_bench_8k.parquet"]
    assert "newest revision newest-of-DreamMr/HR-Bench" in capsys.readouterr().out


def test_one_split_is_fetched_and_its_count_is_checked(hub, tmp_path, capsys):
    assert main(["hrbench", "--to", str(tmp_path), "--split", "hrbench_4k"]) == 1
    assert hub["allow_patterns"] == ["hr_bench_4k.parquet"]
    printed = capsys.readouterr().out
    assert "8 questions (cross 4, single 4)" in printed
    assert "expected 800 good questions" in printed


def test_default_folder_is_named_after_the_data_set(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["hrbench", "--quick"])
    assert (tmp_path / "data" / "hrbench" / "hr_bench_4k.parquet").is_file()


def test_archives_are_unpacked_after_fetching(tmp_path, monkeypatch, capsys):
    whole = mvbench.write_mvbench(tmp_path / "whole", n_rows=1, with_videos=True)

    def snapshot_download(repository, **arguments):
        to = arguments["local_dir"]
        shutil.copytree(whole / "json", to / "json")
        (to / "video").mkdir()
        for folder in (whole / "video").iterdir():
            shutil.make_archive(str(to / "video" / folder.name), "zip", folder)

    class Api:
        def dataset_info(self, repository):
            return type("Info", (), {"sha": "0"})()

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert main(["mvbench", "--to", str(tmp_path / "to")]) == 0
    printed = capsys.readouterr().out
    assert "Unpacked 49 files." in printed  # 19 clips, and 30 frames of one
    assert "20 questions (Action Antonym 1, " in printed
    assert "about 4000 questions are published" in printed


def test_unknown_names_are_refused(capsys):
    assert main(["vstr"]) == 1
    assert "Did you mean 'vstar'?" in capsys.readouterr().out
    assert main(["hrbench", "--split", "4k"]) == 1
    assert "expected --split to be one of hrbench_4k, hrbench_8k" in capsys.readouterr().out


def test_a_file_of_ones_own_is_checked(tmp_path, capsys):
    write_picture(tmp_path / "a.png", 0)
    rows = [
        {"image": "a.png", "question": "How many?", "answer": answer} for answer in (3.0, "two")
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert main(["records", "--check", str(path), "--metric", "count"]) == 0
    assert "2 questions (all 2); licence: your own" in capsys.readouterr().out
    assert main(["records", "--check", str(tmp_path), "--split", "mine"]) == 0


def test_a_file_of_ones_own_with_faults_names_every_row(tmp_path, capsys):
    write_picture(tmp_path / "a.png", 0)
    good = {"image": "a.png", "question": "How many?", "answer": 3}
    rows = [good, {**good, "answer": "many"}, {**good, "image": "b.png"}, {**good, "answer": None}]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert main(["records", "--check", str(path), "--metric", "count"]) == 1
    printed = capsys.readouterr().out
    assert "mine.jsonl row 2: expected whole numbers" in printed
    assert "mine.jsonl row 3: there is no file" in printed
    assert "mine.jsonl row 4: expected text in column 'answer'" in printed
    assert "row 1" not in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["records"], "name their file by --check"),
        (["records", "--check", "none.jsonl"], "expected one file"),
        (["records", "--check", "none.jsonl", "--metric", "counts"], "Did you mean 'count'"),
        (["vstar", "--check", ".", "--metric", "count"], "metric is for records"),
    ],
)
def test_a_wrong_call_for_a_file_of_ones_own_is_one_sentence(arguments, message, capsys):
    assert main(arguments) != 0
    printed = capsys.readouterr()
    assert message in " ".join((printed.out + printed.err).split())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "expected the name of a data set: vstar, "),
        (["vstar", "--to", "a", "--check", "b"], "expected --to or --check, got both"),
        (["vstar", "--chek", "b"], "there is no option --chek. Did you mean --check?"),
    ],
)
def test_a_command_line_that_can_not_be_read_gives_exit_code_2(capsys, arguments, error):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert error in capsys.readouterr().err
