"""Files of a page that ship with a package, and their hashes for its Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files


def asset(package: str, name: str) -> str:
    """Returns the text of a file in a package's `static/`."""
    return files(package).joinpath("static", name).read_text(encoding="utf-8")


def asset_hash(package: str, name: str) -> str:
    """Returns what a policy names a style or script by that stands in the page itself."""
    digest = hashlib.sha256(asset(package, name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
