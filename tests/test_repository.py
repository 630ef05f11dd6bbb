"""The tree holds what ARCHITECTURE.md says: rooms and their imports, sizes, packages, the root."""

import ast
import configparser
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("pixel_env", "tasks", "agents", "scripts")
CODE = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))
PACKAGE_CODE = [path for path in CODE if path.relative_to(ROOT).parts[0] != "scripts"]
WRITTEN = [
    *CODE,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("Makefile", "setup.cfg", "pyproject.toml", ".ci/run")),
]

ENVIRONMENT_TAKES = {"numpy", "gymnasium", "PIL", "decord", "av", "pyvips"}
TASKS_TAKE = {"numpy", "PIL", "pyarrow", "av"}
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "griffe": "griffelib"}
MOST_MODULES = 18
"""A room with more is several rooms."""

IN_ROOT = {
    ".ci", ".git", ".github", ".gitignore", ".pre-commit-config.yaml", "ARCHITECTURE.md",
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile",
    "README.md", "SECURITY.md", "agents", "configs", "constraints.txt", "docs", "examples",
    "mkdocs.yml", "pixel_env", "pixel_reason_v1.py", "pyproject.toml", "scripts", "setup.cfg",
    "tasks", "tests",
}  # fmt: skip
"""What may stand in the root; whatever else lies there was left by mistake."""

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


@cache
def told_rooms() -> list[tuple[str, tuple[str, ...], str]]:
    """Returns ARCHITECTURE's table: folder, modules (none: all of them), and what is in it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/]+)/`(?:: ([\w` ]+))? \| (.+) \|$", text, re.MULTILINE)
    return [
        (folder, tuple(modules.replace("`", "").split()), what) for folder, modules, what in rows
    ]


def room_of(path: Path) -> int | None:
    """Returns the row of the table that a file belongs to; None for the package's own face."""
    folder = named(path.parent)
    if folder == "pixel_env" and path.stem in ("__init__", "__main__"):
        return None
    rows = [row for row in enumerate(told_rooms()) if row[1][0] == folder]
    for row, (_, modules, _) in sorted(rows, key=lambda each: not each[1][1]):  # named ones first
        if not modules or path.stem in modules:
            return row
    raise AssertionError(f"{named(path)} stands in no row of ARCHITECTURE's table")


@cache
def our_imports() -> dict[str, set[str]]:
    """Returns for every module the modules of ours that it imports."""
    names = {installed_name(path) for path in CODE}
    found = {}
    for path in CODE:
        named_here = imports_of(path) & names
        # `from .room import name` imports the room's face; `from . import module` does not.
        nested = {module for module in named_here if any(is_below(o, module) for o in named_here)}
        found[installed_name(path)] = named_here - nested - {installed_name(path)}
    return found


def is_below(module: str, package: str) -> bool:
    return module.startswith(f"{package}.")


@pytest.mark.parametrize("path", CODE, ids=named)
def test_imports_run_down_the_table(path):
    rows = {installed_name(each): room_of(each) for each in CODE}
    own = room_of(path)
    top = path.relative_to(ROOT).parts[0]
    foes = {"agents": "pixel_env.tasks", "tasks": "pixel_env.agents"}
    for module in our_imports()[installed_name(path)]:
        assert own is None or rows[module] is None or rows[module] >= own, module
        assert top not in foes or not is_within(module, foes[top]), module
    takes = {"pixel_env": ENVIRONMENT_TAKES, "tasks": TASKS_TAKE}.get(top)
    if takes is not None:
        assert foreign_imports(path) <= takes


def test_no_import_goes_in_a_circle():
    graph = our_imports()
    done: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for other in sorted(graph[module]):
                follow(other, (*way, module))
            done.add(module)

    for module in graph:
        follow(module, ())


def test_every_room_is_told_and_opens_with_its_line():
    told = {folder: what for folder, modules, what in told_rooms() if not modules}
    folders = {named(path.parent) for path in CODE} - {"pixel_env"}
    assert set(told) == folders
    for folder, modules, _ in told_rooms():
        assert all((ROOT / folder / f"{module}.py").exists() for module in modules), folder
    for folder, what in told.items():
        docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text("utf-8")))
        assert (docstring or "").splitlines()[0] == what, folder


def test_no_room_is_crowded():
    counts = Counter(named(path.parent) for path in CODE if path.name != "__init__.py")
    assert {room: n for room, n in counts.items() if n > MOST_MODULES} == {}


def test_the_root_holds_what_belongs_there():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    held = {name.partition("/")[0] for name in listed}
    assert held <= IN_ROOT


def test_relative_imports_are_resolved():
    """The checks above would pass for nothing if relative imports were missed."""
    assert "pixel_env.errors" in imports_of(ROOT / "tasks/synthetic/endless.py")
    assert "pixel_env.agents.model.loading" in imports_of(ROOT / "agents/policies/vlm.py")
    assert "pixel_env.config" in imports_of(ROOT / "pixel_env/__init__.py")


def test_the_environment_is_imported_without_what_is_heavy():
    check = (
        "import sys, gymnasium, pixel_env; gymnasium.make('PixelReason-SyntheticSearch-v0'); "
        "heavy = {'torch', 'transformers', 'decord', 'av', 'pyvips', 'rich'}; "
        "print(sorted(heavy & set(sys.modules)))"
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


LOADERS = {
    "from_pretrained": ("trust_remote_code", False),
    "from_config": ("trust_remote_code", False),
    "load_dataset": ("trust_remote_code", False),
    "load": ("weights_only", True),
}
"""What every call of these functions passes; of `load`, those of torch."""

UNPICKLING = re.compile(r"\bdist\.\w+_object(_list)?\(|\bpickle\.(loads?|Unpickler)\(")
"""Functions that unpickle: pickle's own, and the collectives that send objects."""


@pytest.mark.parametrize("path", CODE, ids=named)
def test_nothing_foreign_is_run_or_unpickled(path):
    text = path.read_text(encoding="utf-8")
    assert not UNPICKLING.search(text)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, of = node.func.attr, ast.unparse(node.func.value)
        if name in LOADERS and (name != "load" or of == "torch"):
            given = {each.arg: ast.unparse(each.value) for each in node.keywords}
            argument, value = LOADERS[name]
            assert given.get(argument) == str(value), (node.lineno, name)


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
    held = {installed_name(path) for path in CODE if path.name == "__init__.py"}
    assert sorted(listed) == sorted(held)
    folders = {path.parent for path in CODE}
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_data_of_packages_is_installed():
    for package, patterns in settings()["options.package_data"].items():
        room = package.replace(".", "/")
        if not (ROOT / room).is_dir():  # agents, tasks and scripts lie beside the package
            room = room.removeprefix("pixel_env/")
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
