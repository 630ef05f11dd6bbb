"""Unpacks the archives of a release, and nothing outside its folder."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from pixel_env.errors import DataError
from pixel_env.files.whole_file import whole_file
from pixel_env.media.border import foreign_bytes
from pixel_env.media.files import open_regular

CHUNK_BYTES = 2**20

MAX_RATIO = 200
"""How many times its packed size a file may have. Pictures and clips hardly shrink; a file that
grows a thousandfold is made to fill the disk."""

FREE_BYTES = 64 * 2**20
"""A file up to this size may have any ratio: a list of questions packs well."""


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """How much the archives of a release may unpack to.

    Attributes:
        max_bytes: all files of an archive together; the default is a terabyte.
        max_ratio: the unpacked size of a file by its packed one.
    """

    max_bytes: int = 10**12
    max_ratio: float = MAX_RATIO


def unpack_all(folder: Path, limits: UnpackLimits | None = None) -> int:
    """Unpacks every zip file of a folder and of the folders in it, each beside itself.

    Files that are there already in their whole size are left as they are, so that running it
    again goes on where it stopped. An archive `x.zip` whose files don't lie in a folder `x` is
    unpacked into one.

    Args:
        folder: the folder of the release.
        limits: how much the archives may unpack to.

    Returns:
        How many files were written.

    Raises:
        DataError: an archive is broken, encrypted, or unpacks to too much; or a file in it would
            lie outside the folder, or where a folder is.
    """
    archives = sorted([*folder.glob("*.zip"), *folder.glob("*/*.zip")])
    return sum(unpack(archive, limits) for archive in archives)


def unpack(archive: Path, limits: UnpackLimits | None = None) -> int:
    """Unpacks one zip file; takes, returns and raises what `unpack_all` does."""
    with (
        foreign_bytes(str(archive), "can't be unpacked"),
        open_regular(archive) as file,  # a pipe would block for ever
        zipfile.ZipFile(file) as opened,
    ):
        members = [member for member in opened.infolist() if not member.is_dir()]
        for member in members:
            _check(archive, member)
        is_named = all(PurePosixPath(m.filename).parts[0] == archive.stem for m in members)
        into = archive.parent if is_named else archive.parent / archive.stem
        _check_sizes(archive, members, limits or UnpackLimits())
        _check_places(archive, [PurePosixPath(member.filename) for member in members])
        n_written = 0
        for member in members:
            with foreign_bytes(f"{archive}: {member.filename!r:.80}", "can't be unpacked"):
                n_written += _write(opened, member, into / member.filename, archive.parent)
    return n_written


def _check(archive: Path, member: zipfile.ZipInfo) -> None:
    """Refuses names that lead out of the folder, links, and what needs a password."""
    name = PurePosixPath(member.filename)
    windows = PureWindowsPath(member.filename)
    leads_out = name.is_absolute() or windows.anchor or ".." in (*name.parts, *windows.parts)
    if leads_out or stat.S_ISLNK(member.external_attr >> 16) or not name.parts:
        raise DataError(f"{archive} holds {member.filename!r}, which would lie outside its folder")
    if member.flag_bits & 0x1:
        raise DataError(f"{archive} holds {member.filename!r:.80}, which is encrypted")


def _check_sizes(archive: Path, members: Sequence[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    """Refuses an archive whose stated size is too large."""
    n_bytes = sum(member.file_size for member in members)
    if n_bytes > limits.max_bytes:
        raise DataError(
            f"{archive} would unpack to {n_bytes:,} bytes, and {limits.max_bytes:,} are allowed"
        )
    for member in members:
        packed = max(member.compress_size, 1)
        if member.file_size > max(FREE_BYTES, limits.max_ratio * packed):
            raise DataError(
                f"{archive} holds {member.filename!r:.80} of {packed:,} bytes that would unpack to "
                f"{member.file_size:,}: over {limits.max_ratio:g} times as many"
            )


def _check_places(archive: Path, names: Sequence[PurePosixPath]) -> None:
    """Refuses an archive in which a name is that of a file and of a folder."""
    folders = {folder for name in names for folder in name.parents}
    for name in names:
        if name in folders:
            raise DataError(f"{archive} holds {str(name)!r:.80} as a file and as a folder")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, root: Path) -> bool:
    """Writes a file whole or not at all; tells whether it had to."""
    if not path.resolve().is_relative_to(root.resolve()):  # through a link that was there
        raise OSError("a link on the way leads out of the folder")
    if path.is_file() and path.stat().st_size == member.file_size:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not synced: a release has many thousands of files, and a wrong size is unpacked again.
    with opened.open(member) as source, whole_file(path, sync=False) as target:
        n_left = member.file_size
        while chunk := source.read(CHUNK_BYTES):
            n_left -= len(chunk)
            if n_left < 0:
                raise OSError("it is larger than the archive states")
            target.write(chunk)
    return True
