"""The folder that a task set reads: where it is found, and which files of it a row may reach.

Nothing here touches a network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from pixel_env.errors import ConfigError, DataError
from pixel_env.media.files import LeadsOutError, checked_inside

from ..releases.catalogue import Release, releases_of

FolderName = str | os.PathLike[str]
"""A folder as a caller names it."""


@dataclass(frozen=True)
class DataFolder:
    """The one folder that a task set may read, and the way to a file in it.

    Attributes:
        path: the folder; it may itself be a link.
    """

    path: Path

    def file(self, relative: str, origin: str) -> Path:
        """Returns the file that a row points to, after making sure that it lies in the folder.

        Args:
            relative: path as the row gives it, with forward slashes; a `file://` address is the
                path in it, and may be that of a file in this folder from the root.
            origin: file and row, for error messages.

        Raises:
            DataError: the path is absolute, climbs with "..", leads out of the folder through
                a link, or is no file.
        """
        path = self._inside(relative, origin)
        if not path.is_file():
            raise DataError(f"{origin}: {relative!r} in {self.path} is not a file")
        return path

    def file_or_folder(self, relative: str, origin: str) -> Path:
        """Returns the file or the folder that a row points to; raises as `file` does."""
        return self._inside(relative, origin)

    def has(self, relative: str) -> bool:
        """Tells whether something is there under a path, wherever it may lead."""
        try:
            return os.path.lexists(self.path / self._named(relative))
        except ValueError:  # a null character, or a lone surrogate
            return False

    def _inside(self, relative: str, origin: str) -> Path:
        relative = self._named(relative)
        given = repr(relative)[:200]
        parts = PurePosixPath(relative).parts
        if not relative.strip() or "\0" in relative:
            raise DataError(f"{origin}: expected the path of a file, got {given}")
        if PurePosixPath(relative).is_absolute() or PureWindowsPath(relative).anchor:
            raise DataError(f"{origin}: expected a relative path, got the absolute {given}")
        if ".." in parts or ".." in PureWindowsPath(relative).parts:
            raise DataError(f"{origin}: expected a path without '..', got {given}")
        try:
            return checked_inside(self.path / relative, self.roots())
        except LeadsOutError as fault:
            raise DataError(f"{origin}: {given} is a link that leads out of {self.path}") from fault
        except (OSError, RuntimeError, ValueError) as fault:
            raise DataError(f"{origin}: there is no file {given} in {self.path}") from fault

    def _named(self, path: str) -> str:
        """The path that a row means: that of a `file://` address, relative where it is inside.

        Nothing is checked here. A file whose name is written without the escapes of an address
        ("100%.png") is found as well.
        """
        if path[:5].lower() != "file:":
            return path
        written = re.sub(r"^//localhost/", "///", path[5:], flags=re.IGNORECASE)
        written = written[2:] if written.startswith("//") else written
        for named in (written, unquote(written)):
            for root in (self.path.absolute(), self.path.resolve()):
                if PurePosixPath(named).is_relative_to(root):
                    named = str(PurePosixPath(named).relative_to(root))
            with suppress(ValueError):
                if os.path.lexists(self.path / named):
                    return named
        return named

    def roots(self) -> tuple[Path, ...]:
        """Returns the folder, resolved, and for a snapshot of the Hugging Face cache its blobs."""
        real = self.path.resolve()
        if real.parent.name == "snapshots":
            return real, real.parent.parent / "blobs"
        return (real,)


@dataclass(frozen=True)
class Found:
    """Where the rows of a data set are.

    Attributes:
        folder: the folder that its rows may point into.
        files: the files that hold the rows, in order; at least one.
    """

    folder: DataFolder
    files: tuple[Path, ...]


def find_rows(task: str, data_dir: FolderName | None, layouts: Sequence[str]) -> Found:
    """Finds the files that hold the rows of a data set.

    Args:
        task: the task set's name in its id, such as "VStar".
        data_dir: the folder to search. None searches the default folder under the current one,
            then in the Hugging Face cache on this disk.
        layouts: for each layout the pattern of its files, relative to the folder; the first one
            that matches any file is taken.

    Raises:
        ConfigError: no folder holds such a file; the message names the command that fetches it
            and the synthetic twin.
    """
    releases = releases_of(task)
    first = releases[0]
    searched = [Path(data_dir)] if data_dir is not None else [first.folder, *_cached(releases)]
    for folder in searched:
        for pattern in layouts:
            files = sorted(path for path in folder.glob(pattern) if path.is_file())
            if files:
                return Found(DataFolder(folder), tuple(files))
    places = " and in ".join(str(folder.absolute()) for folder in searched)
    to = data_dir if data_dir is not None else first.folder
    twin = f"; PixelReason-{first.twin}-v0 is a synthetic twin that needs no data" * bool(
        first.twin
    )
    raise ConfigError(
        f"{first.title} was not found: looked for {' or '.join(layouts)} in {places}. Fetch it "
        f"with `pixel-reason prepare-data {first.name} --to {to}` and pass "
        f"data_dir={str(to)!r}{twin}."
    )


def _cached(releases: Iterable[Release]) -> list[Path]:
    """Where the Hugging Face cache keeps each copy: its pinned revision, the one last fetched."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    folders = []
    for release in releases:
        repository = hub / f"datasets--{release.repository.replace('/', '--')}"
        newest = repository / "refs" / "main"
        revisions = [release.revision] if release.revision else []
        if newest.is_file():
            revisions.append(newest.read_text(encoding="utf-8").strip())
        folders += [repository / "snapshots" / revision for revision in revisions]
    return folders or [Path("data")]
