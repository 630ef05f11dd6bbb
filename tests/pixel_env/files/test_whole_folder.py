"""A folder appears with all its files; in one that is there each file is replaced whole."""

import pytest

from pixel_env.files.whole_folder import remove_folder, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_appears_whole(tmp_path):
    out = tmp_path / "models" / "mine"
    with whole_folder(out) as writing:
        (writing / "a").write_text("1")
        assert not out.exists()
    assert (out / "a").read_text() == "1"
    assert names(tmp_path / "models") == ["mine"]


def test_files_of_a_folder_that_is_there_are_replaced_and_others_stay(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "a").write_text("old")
    (out / "README.md").write_text("mine")
    (tmp_path / ".writing-mine").mkdir()
    (tmp_path / ".writing-mine" / "left").write_text("by a killed process")
    with whole_folder(out) as writing:
        (writing / "a").write_text("new")
        assert (out / "a").read_text() == "old"
    assert (out / "a").read_text() == "new"
    assert names(out) == ["README.md", "a"]
    assert names(tmp_path) == ["mine"]


def test_a_fault_leaves_what_was_there_and_names_the_folder(tmp_path):
    def full():
        with whole_folder(tmp_path / "mine") as writing:
            (writing / "a").write_text("half")
            raise OSError(28, "No space left on device", str(writing / "a"))

    with pytest.raises(OSError, match="No space left") as fault:
        full()
    assert fault.value.filename == str(tmp_path / "mine")
    assert names(tmp_path) == []


def test_a_folder_is_removed_with_what_a_kill_left_of_an_earlier_removal(tmp_path):
    for name in ("mine", ".writing-removed-mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("x")
    remove_folder(tmp_path / "mine")
    remove_folder(tmp_path / "none")
    assert names(tmp_path) == []
