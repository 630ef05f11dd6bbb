"""Rows of data sets: JSON, parquet, folders, pictures; every fault names file and row."""

from .folders import DataFolder, FolderName
from .json_files import read_jsonl
from .pictures import picture
from .row import Row
from .row_task import RowTask

__all__ = ["DataFolder", "FolderName", "Row", "RowTask", "picture", "read_jsonl"]
