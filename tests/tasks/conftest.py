"""Folders of every layout, written when they are first asked for."""

from pathlib import Path

import pytest
from dataset_folders import mvbench
from dataset_folders.layouts import LAYOUTS
from vstar_folder import write_vstar


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Writes each layout's folder when it is first asked for."""
    root = tmp_path_factory.mktemp("layouts")

    def folder(name: str) -> Path:
        path = root / name
        if not path.exists():
            path.mkdir()
            if LAYOUTS[name][1] in (write_vstar, mvbench.write_mvbench):
                path.rmdir()
            LAYOUTS[name][1](path)
        return path

    return folder
