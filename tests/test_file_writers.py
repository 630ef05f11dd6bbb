"""No module writes a file but through `pixel_env/files/`; the exceptions have their reasons."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("pixel_env", "tasks", "agents", "scripts")
CODE = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))

WRITERS = {
    "write_text", "write_bytes", "save_file", "save_model", "save_pretrained", "savefig",
    "serialize_file", "rename", "renames", "extract", "extractall", "copyfile", "copy2", "copytree",
    "savez", "savez_compressed", "tofile",
}  # fmt: skip
"""Names of functions that write files, whatever they are called on."""

WRITE_THEMSELVES = {
    "pixel_env/files/": "the seams: files, folders and lines that are whole or absent, locks",
    "agents/training/checkpoints/sealed_folder.py": "folders that are sealed before their name",
    "agents/training/checkpoints/checkpointer.py": "writes into a folder that is sealed",
    "agents/training/checkpoints/weights.py": "writes into a folder that is sealed",
    "agents/tokens/files.py": "writes into a folder that is sealed",
    "agents/policies/sb3_model.py": "writes into a folder that is sealed",
    "agents/model/loading.py": "writes into a folder that appears whole",
    "agents/tiny/model.py": "writes into a folder that appears whole",
    "tasks/synthetic/clip/encoding.py": "encodes into memory",
    "pixel_env/chat/parts.py": "encodes into memory",
    "pixel_env/recordings/trajectory.py": "encodes into memory",
    "pixel_env/viewer/pictures.py": "encodes into memory",
    "agents/human/board.py": "encodes into memory",
    "agents/run/examples.py": "encodes into memory",
    "agents/learning_trap/curves.py": "writes into a file that appears whole",
    "scripts/dev/": "for maintainers, who make it again",
}
"""Who may write otherwise than through `pixel_env/files/`, and why."""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def writes(path: Path) -> set[str]:
    """Returns the calls of a module that write a file."""
    return {
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        if (name := written_by(node))
    }


def written_by(call: ast.Call) -> str:
    """Returns the name of the function that a call writes a file with; "" where it doesn't."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "open" and owner == "os":
        return name if re.search("O_WRONLY|O_RDWR|O_CREAT", ast.unparse(call)) else ""
    if name == "open":
        given = [*call.args, *(each.value for each in call.keywords if each.arg == "mode")]
        modes = [str(each.value) for each in given if isinstance(each, ast.Constant)]
        return (
            name if any(re.fullmatch("[rwaxbt+]*[wax+][rwaxbt+]*", each) for each in modes) else ""
        )
    if name in ("replace", "link", "symlink", "truncate", "write"):
        return name if owner == "os" else ""
    if name == "save":  # a picture's, an array's, a model's
        return name if owner and not owner.endswith(("checkpoints", ".best")) else ""
    if name == "dump":
        return name if owner in ("json", "pickle", "yaml", "torch") else ""
    return name if name in WRITERS else ""


@pytest.mark.parametrize("path", CODE, ids=named)
def test_files_are_written_through_one_seam(path):
    """So that a file is whole or absent, whatever ends the process or fills the disk."""
    if not named(path).startswith(tuple(WRITE_THEMSELVES)):
        assert writes(path) == set()


def test_exceptions_from_the_seam_are_ones():
    """A list that nobody prunes holds what it should catch."""
    for place in WRITE_THEMSELVES:
        held = [path for path in CODE if named(path).startswith(place)]
        assert any(writes(path) for path in held), place


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('open("a", "w")', "open"),
        ('path.open(mode="ab")', "open"),
        ('path.open("r+b")', "open"),
        ('path.open("rb")', ""),
        ("open(path)", ""),
        ("os.open(path, os.O_RDWR)", "open"),
        ("os.open(path, os.O_RDONLY)", ""),
        ("path.write_text(x)", "write_text"),
        ("os.replace(a, b)", "replace"),
        ('text.replace("a", "b")', ""),
        ("json.dump(x, f)", "dump"),
        ("json.dumps(x)", ""),
        ("torch.save(x, path)", "save"),
        ("picture.save(path)", "save"),
        ("self.checkpoints.save(1, x)", ""),
        ("save_file(x, path)", "save_file"),
    ],
)
def test_writers_are_recognised(line, name):
    (statement,) = ast.parse(line).body
    assert written_by(statement.value) == name
