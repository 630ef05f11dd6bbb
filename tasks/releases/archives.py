"""Unpacks the archives of a release, and nothing outside its folder."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from pixel_env.errors import DataError

CHUNK_BYTES = 2**20


def unpack_all(folder: Path) -> int:
    """Unpacks every zip file of a folder and of the folders in it, each beside itself.

    Files that are there already in their whole size are left as they are, so that running it
    again goes on where it stopped. An archive `x.zip` whose files don't lie in a folder `x` is
    unpacked into one.

    Args:
        folder: the folder of the release.

    Returns:
        How many files were written.

    Raises:
        DataError: an archive is broken, or a file in it would lie outside the folder.
    """
    archives = sorted([*folder.glob("*.zip"), *folder.glob("*/*.zip")])
    return sum(unpack(archive) for archive in archives)


def unpack(archive: Path) -> int:
    """Unpacks one zip file; returns and raises as `unpack_all` does."""
    n_written = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            for member in members:
                _check(archive, member)
            is_named = all(PurePosixPath(m.filename).parts[0] == archive.stem for m in members)
            into = archive.parent if is_named else archive.parent / archive.stem
            for member in members:
                n_written += _write(opened, member, into / member.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{archive} can't be unpacked: {error}") from error
    return n_written


def _check(archive: Path, member: zipfile.ZipInfo) -> None:
    """Refuses names that lead out of the folder, and links."""
    name = PurePosixPath(member.filename)
    windows = PureWindowsPath(member.filename)
    leads_out = name.is_absolute() or windows.anchor or ".." in (*name.parts, *windows.parts)
    if leads_out or stat.S_ISLNK(member.external_attr >> 16) or not name.parts:
        raise DataError(f"{archive} holds {member.filename!r}, which would lie outside its folder")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bool:
    """Writes a file whole or not at all; tells whether it had to."""
    if path.is_file() and path.stat().st_size == member.file_size:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with opened.open(member) as source, part.open("wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            target.write(chunk)
    os.replace(part, path)
    return True
