"""Picture files made by hand for the tests."""

import struct
import zlib


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    """Makes a PNG; `rows` are its bytes, a filter byte before each row, and may be too few."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">2I5B", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
