"""Objects by their import path, `module:name`, and the file that each is from.

Importing a module runs it, so an import path is taken from a user's own command line only, never
from a file that came from elsewhere.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pixel_env.errors import ConfigError, unknown_name


@dataclass(frozen=True, slots=True)
class Imported:
    """An object, and where it is from.

    Attributes:
        path: its import path.
        found: the object.
        file: the module's file, relative to the folder that its import starts in; "" for none.
        sha256: SHA-256 of that file; "" for none.
    """

    path: str
    found: Any
    file: str
    sha256: str

    def origin(self) -> dict[str, str]:
        """Returns where it is from, for a manifest."""
        return {"path": self.path, "file": self.file, "sha256": self.sha256}


def is_import_path(text: str) -> bool:
    """Returns whether a text has the form `module:name`, both with or without dots.

    Example:
        >>> is_import_path("mine.policies:Zoomer"), is_import_path("vlm:runs/mine")
        (True, False)
    """
    parts = text.split(":")
    return len(parts) == 2 and all(
        name.isidentifier() for part in parts for name in part.split(".")
    )


def import_object(path: str, what: str) -> Imported:
    """Imports an object from the current folder, as `python -m` would, or an installed module.

    Args:
        path: `module:name`; dots in the name lead into classes.
        what: what it is for, for errors: "a policy".

    Raises:
        ConfigError: there is no such module or name, or importing the module failed.
    """
    if not is_import_path(path):
        raise ConfigError(f"expected {what} by import path, as in module:name, got {path!r}")
    module_name, _, names = path.partition(":")
    module = _module(module_name, path)
    found: Any = module
    for name in names.split("."):
        if not hasattr(found, name):
            public = [each for each in vars(found) if not each.startswith("_")]
            raise unknown_name(f"{what} in {module_name}", name, public)
        found = getattr(found, name)
    return Imported(path, found, *_origin(module))


def fault_text(fault: BaseException) -> str:
    """Writes an exception from a user's code in a line: its kind, its message, and where.

    Example:
        >>> fault_text(ValueError("no such label"))
        'ValueError: no such label'
    """
    text = f"{type(fault).__name__}: {fault}".rstrip(": ")
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def _module(name: str, path: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # a console script starts with its own folder there
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        missing = fault.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise ConfigError(
                f"{path}: there is no module {missing} in the current folder ({here}) or among "
                "the installed ones"
            ) from None
        raise ConfigError(f"{path}: importing {name} failed: {fault_text(fault)}") from fault
    except (Exception, SystemExit) as fault:  # a user's module can raise anything
        raise ConfigError(f"{path}: importing {name} failed: {fault_text(fault)}") from fault


def _origin(module: ModuleType) -> tuple[str, str]:
    """Returns a module's file as its name leads to it, and the SHA-256 of the file."""
    file = getattr(module, "__file__", None)
    if not file or not Path(file).is_file():
        return "", ""
    depth = module.__name__.count(".") + (Path(file).stem == "__init__") + 1
    with Path(file).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return "/".join(Path(file).parts[-depth:]), digest
