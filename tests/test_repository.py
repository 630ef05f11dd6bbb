"""The tree holds what it says: rooms and their imports, sizes, packages, and README's map of it."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("pixel_env", "tasks", "agents")
CODE = sorted(path for room in (*ROOMS, "scripts") for path in (ROOT / room).rglob("*.py"))
PACKAGE_CODE = [path for path in CODE if path.relative_to(ROOT).parts[0] in ROOMS]
WRITTEN = [
    *CODE,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("Makefile", "setup.cfg", "pyproject.toml", ".ci/run")),
]

ENVIRONMENT_TAKES = {"numpy", "gymnasium", "PIL", "decord", "av"}
TASKS_TAKE = {"numpy", "PIL", "pyarrow", "av"}
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml"}
UNTOLD = {"__init__.py", "py.typed"}
"""Files that README's tree leaves out."""

FOREIGN = re.compile(
    r"\bT[O]DO\b|\bFIX[M]E\b|\bXX[X]\b|(?<![\w./:])/(?:work|tmp|root|home)/\w|\.\./sh[a]red\b"
)
"""What has no place in a published tree: unfinished work, and paths of one machine."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def installed_name(path: Path) -> str:
    """Returns the module that a file is imported as."""
    room, *rest = path.relative_to(ROOT).with_suffix("").parts
    parts = [room] if room == "pixel_env" else ["pixel_env", room]
    return ".".join([*parts, *(part for part in rest if part != "__init__")])


def imports_of(path: Path) -> set[str]:
    """Returns every module that a file imports, relative ones under their installed names."""
    package = installed_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def foreign_imports(path: Path) -> set[str]:
    """Returns the packages of others that a file imports."""
    tops = {module.partition(".")[0] for module in imports_of(path)}
    return tops - set(sys.stdlib_module_names) - {"pixel_env"}


@pytest.mark.parametrize("path", PACKAGE_CODE, ids=named)
def test_imports_run_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    others = {
        "pixel_env": ("pixel_env.tasks", "pixel_env.agents"),
        "tasks": ("pixel_env.agents",),
        "agents": ("pixel_env.tasks",),
    }[room]
    for module in imports_of(path):
        assert not any(is_within(module, other) for other in others), module
    takes = {"pixel_env": ENVIRONMENT_TAKES, "tasks": TASKS_TAKE}.get(room)
    if takes is not None:
        assert foreign_imports(path) <= takes


def test_relative_imports_are_resolved():
    """The check above would pass for nothing if relative imports were missed."""
    assert "pixel_env.errors" in imports_of(ROOT / "tasks/synthetic/endless.py")
    assert "pixel_env.agents.engine" in imports_of(ROOT / "agents/policies/vlm.py")
    assert "pixel_env.config" in imports_of(ROOT / "pixel_env/__init__.py")


def test_the_environment_is_imported_without_what_is_heavy():
    check = (
        "import sys, gymnasium, pixel_env; gymnasium.make('PixelReason-SyntheticSearch-v0'); "
        "print(sorted({'torch', 'transformers', 'decord', 'av', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", CODE, ids=named)
def test_files_and_functions_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            n_docstring = len((ast.get_docstring(node) or "").splitlines())
            assert (node.end_lineno or 0) - node.lineno - n_docstring < 50, node.name


@pytest.mark.parametrize("path", PACKAGE_CODE, ids=named)
def test_packages_neither_print_nor_evaluate_nor_swallow(path):
    assert path.name not in {"utils.py", "common.py", "helpers.py"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "eval", "exec"}, node.lineno
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), node.lineno


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_nothing_is_unfinished_or_of_one_machine(path):
    found = FOREIGN.search(path.read_text(encoding="utf-8"))
    assert found is None, found


def settings() -> configparser.ConfigParser:
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    return read


def test_every_package_is_installed():
    listed = settings()["options"]["packages"].split()
    held = {installed_name(path) for path in PACKAGE_CODE if path.name == "__init__.py"}
    assert sorted(listed) == sorted(held)
    folders = {path.parent for path in PACKAGE_CODE}
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_data_of_packages_is_installed():
    for package, patterns in settings()["options.package_data"].items():
        room = package.removeprefix("pixel_env.").replace(".", "/")
        for pattern in patterns.split():
            assert list((ROOT / room).glob(pattern)), f"{package}: {pattern}"


def requirements() -> list[Requirement]:
    read = settings()
    given = [read["options"]["install_requires"], *read["options.extras_require"].values()]
    return [Requirement(line) for text in given for line in text.split()]


def test_every_import_is_required():
    required = {canonicalize_name(requirement.name) for requirement in requirements()}
    for path in CODE:
        for name in foreign_imports(path):
            assert canonicalize_name(DISTRIBUTIONS.get(name, name)) in required, path


def test_constraints_pin_what_is_required():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = version
    for requirement in requirements():
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def told_tree() -> set[str]:
    """Returns the paths that README's tree names; those of folders end with a slash."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## The tree\n.*?```text\n(.*?)```", text, re.DOTALL)
    assert block is not None
    told, parents = set(), []
    for line in block[1].splitlines():
        entry = re.match(r"( *)(\S+)(?: {2,}(\S.*))?$", line)
        assert entry is not None, line
        depth = len(entry[1]) // 2
        assert entry[3] or entry[2].endswith("/"), f"{line} says nothing"
        parents = [*parents[:depth], entry[2]]
        told.add("".join(parents))
    return told


def held_files() -> set[str]:
    """Returns every file of the tree that a reader may look for."""
    top = [*ROOT.glob("*.md"), *(ROOT / name for name in ("LICENSE", "Makefile", ".ci/run"))]
    top += [*ROOT.glob("*.txt"), *ROOT.glob("*.cfg"), *ROOT.glob("*.toml"), *ROOT.glob("*.in")]
    inside = [
        path
        for folder in (*ROOMS, "scripts", "docs", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return {named(path) for path in (*top, *inside) if path.name not in UNTOLD}


def test_readme_maps_the_tree():
    told, held = told_tree(), held_files()
    missing = sorted(path for path in told if not (ROOT / path).exists())
    assert not missing
    leaves = {
        path
        for path in told
        if path.endswith("/")
        and not any(other != path and other.startswith(path) for other in told)
    }
    untold = {path for path in held - told if not path.startswith(tuple(leaves))}
    assert not untold
