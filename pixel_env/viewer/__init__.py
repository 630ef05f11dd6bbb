"""The viewer: recorded episodes as a page that says why an answer was wrong, written or served."""

from .site import Site, read_site
from .written import write_site

__all__ = ["Site", "read_site", "write_site"]
