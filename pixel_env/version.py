"""The version, from where it is written: `setup.cfg`, by way of what is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "pixel-reason"


def installed_version() -> str:
    """Returns the version of this package; "0+unknown" in a tree that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0+unknown"
