"""A site as files, and as answers of a server: the page, its data beside it, its pictures."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import DataError
from ..files.whole_file import write_whole
from ..files.whole_folder import whole_folder
from .assets import asset, asset_hash
from .pictures import MIME, embedded, read_bytes
from .server import NOTHING, Answer
from .site import Site
from .values import script_json

_PACKAGE = "pixel_env.viewer"

HTML = "text/html; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"
DATA = "view.data"
"""Folder of a served site's data files."""


def write_site(site: Site, out: Path, is_single: bool = False) -> None:
    """Writes a page; its pictures stay where they are, and are links.

    Args:
        site: what it shows.
        out: the page. Its data files go into a folder beside it, named like it, `.data`.
        is_single: whether the page needs nothing beside it; it holds all data and pictures then,
            photographs as JPEG.

    Raises:
        OSError: it can't be written.
    """
    out = Path(os.path.abspath(out))
    if is_single:
        write_whole(out, page(site.index | {"inlined": _inlined(site), "all": site.details}))
        return
    data = out.with_name(f"{out.stem}.data")
    with whole_folder(data) as folder:
        for number in range(site.n_chunks):
            write_whole(folder / f"{number}.js", chunk_script(site, number), sync=False)
    root = os.path.relpath(site.root, os.path.realpath(out.parent))
    prefix = "" if root == os.curdir else f"{quote(Path(root).as_posix())}/"
    write_whole(out, page(site.index | {"data": quote(data.name), "pictures": prefix}))


def respond(site: Site, method: str, path: str, body: bytes) -> Answer:
    """Answers a request for a site's page, data or pictures; for nothing else.

    A picture is served by the name that a record gave it, not by a path of the request.
    """
    if path == "":
        text = page(site.index | {"data": DATA, "pictures": ""})
        return Answer(text.encode(), HTML, policy=_policy())
    if chunk := re.fullmatch(rf"{re.escape(DATA)}/([0-9]{{1,8}})\.js", path):
        number = int(chunk[1])
        known = number < site.n_chunks
        return Answer(chunk_script(site, number).encode(), JAVASCRIPT) if known else NOTHING
    file = site.pictures.found.get(path)
    if file is None:
        return NOTHING
    try:
        return Answer(read_bytes(file), MIME[file.suffix])
    except DataError:
        return NOTHING


def page(index: dict[str, Any]) -> str:
    """Returns the page: its script and style may run, and nothing that its data holds."""
    shell = asset(_PACKAGE, "page.html")
    parts = {
        "POLICY": escape(_policy()),
        "TITLE": escape(index["title"].encode("utf-8", "replace").decode("utf-8")),
        "STYLE": asset(_PACKAGE, "page.css"),
        "INDEX": script_json(index),
        "SCRIPT": asset(_PACKAGE, "page.js"),
    }
    pieces = shell.split("{{")  # not one replacement after the other: a part may hold a mark
    return pieces[0] + "".join(
        parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:])
    )


def chunk_script(site: Site, number: int) -> str:
    """Returns a data file: a script, because a page that lies on a disk can load nothing else."""
    return f"loaded({number},{script_json(site.chunk(number))})\n"


def _policy() -> str:
    """Returns the Content-Security-Policy of the page."""
    script, style = (asset_hash(_PACKAGE, f"page.{kind}") for kind in ("js", "css"))
    return (
        f"default-src 'none'; script-src 'self' {script}; style-src {style}; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )


def _inlined(site: Site) -> dict[str, str]:
    """Returns the pictures by name; one that vanished meanwhile is left out."""
    found = {}
    for name, path in site.pictures.found.items():
        try:
            found[name] = embedded(path)
        except DataError as fault:
            site.faults.append(fault)
    return found
