"""Picture files made by hand for the tests."""

import struct
import zlib


def png(
    width: int, height: int, depth: int, colour_type: int, rows: bytes, transparent: bytes = b""
) -> bytes:
    """Makes a PNG.

    Args:
        width: in pixels.
        height: in pixels.
        depth: bits of a sample.
        colour_type: as PNG numbers them: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
        rows: the bytes of the pixels, a filter byte before each row; may be too few.
        transparent: the samples of the transparent colour, two bytes each.
    """

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">2I5B", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
