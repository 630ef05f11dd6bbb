"""The documentation's site: what MkDocs needs beside docs/, as hooks that mkdocs.yml names.

Links in the documents are those of the repository, so that they work wherever its files are shown.
The hooks add the pages that lie outside docs/ and turn links to them into links of the site.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Documents outside docs/, and the page of the site that shows each."""

SHOWN = ("examples/*.py", "configs/*.yaml", "configs/*.toml")
"""Files that get a page with their text."""

LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
_installed: list[tempfile.TemporaryDirectory[str]] = []


@event_priority(100)
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lets mkdocstrings read the packages under the names that they are installed as."""
    tree = tempfile.TemporaryDirectory(prefix="docs_site_")
    _installed.append(tree)
    ignored = shutil.ignore_patterns("__pycache__", "base_weights")
    package = Path(tree.name) / "pixel_env"
    shutil.copytree(ROOT / "pixel_env", package, ignore=ignored)
    for room in ("tasks", "agents", "scripts"):
        shutil.copytree(ROOT / room, package / room, ignore=ignored)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [tree.name]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages that lie outside docs/."""
    for path, page in PAGES.items():
        if page not in files.src_uris:
            content = (ROOT / path).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=content))
    for path in _shown():
        text = (ROOT / path).read_text(encoding="utf-8")
        language = {".py": "python"}.get(Path(path).suffix, Path(path).suffix[1:])
        content = f"# {path}\n\n```{language}\n{text}```\n"
        files.append(File.generated(config, _page_of(path), content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Turns links to files of the repository into links to the pages that show them."""
    source = next((path for path, name in PAGES.items() if name == page.file.src_uri), None)
    if source is None or page.file.src_uri == "index.md":
        source = f"docs/{page.file.src_uri}"
    return LINK.sub(lambda found: _site_link(found, source, page.file.src_uri), markdown)


def on_post_build(**_: object) -> None:
    """Removes what `on_config` made."""
    while _installed:
        _installed.pop().cleanup()


class FencedExamples(griffe.Extension):
    """Shows the doctests of docstrings as code; MkDocs would take `>>>` for a quotation."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Fences the doctests of one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)


def _shown() -> list[str]:
    return sorted(
        path.relative_to(ROOT).as_posix() for pattern in SHOWN for path in ROOT.glob(pattern)
    )


def _page_of(path: str) -> str:
    """Returns the page of a file of the repository; a file under docs/ is a page by itself."""
    if path in PAGES:
        return PAGES[path]
    if path in _shown():
        return posixpath.splitext(path)[0] + ".md"
    return path.removeprefix("docs/")


def _site_link(found: re.Match[str], source: str, page: str) -> str:
    opening, target, rest = found.groups()
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if "://" in target or not (ROOT / path).exists():
        return found[0]
    return opening + posixpath.relpath(_page_of(path), posixpath.dirname(page) or ".") + rest
