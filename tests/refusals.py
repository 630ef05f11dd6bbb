"""What keeps files from being written, for real: limits on their size, folders without a right."""

import os
import resource
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65_534


@contextmanager
def most_bytes_a_file(n):
    """No file may grow over `n` bytes meanwhile (`ulimit -f`); Python ignores SIGXFSZ itself."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only_folder():
    """A folder that this user can't write into; root is nobody meanwhile, for it has every right.

    It isn't under pytest's own folder, which nobody but its user may enter.
    """
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    folder.chmod(0o555)
    try:
        if user == 0:
            os.seteuid(NOBODY)
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)
