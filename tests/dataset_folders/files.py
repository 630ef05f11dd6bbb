"""Pictures and parquet files as the hub stores them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HUB_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""How the hub's library stores an embedded picture."""

SIZE = (48, 36)


def picture_bytes(number: int, kind: str = "PNG") -> bytes:
    """A picture of one colour, another one for each number."""
    file = io.BytesIO()
    Image.new("RGB", SIZE, (37 * number % 256, 90, 200 - 11 * number % 200)).save(file, kind)
    return file.getvalue()


def write_picture(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture_bytes(number))


def hub_picture(number: int) -> dict[str, Any]:
    return {"bytes": picture_bytes(number), "path": f"{number}.png"}


def base64_picture(number: int) -> str:
    return base64.b64encode(picture_bytes(number)).decode()


def write_parquet(
    path: Path, rows: list[dict[str, Any]], row_group_size: int = 2, **types: pa.DataType
) -> None:
    """Writes rows; `types` are those of columns that Arrow would guess otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row.get(name) for row in rows] for name in rows[0]}
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), path, row_group_size=row_group_size)
