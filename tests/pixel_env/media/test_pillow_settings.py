"""What other libraries set in Pillow changes nothing here, and is as they left it afterwards."""

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from pixel_env import DataError, ImageSource
from pixel_env.media import pillow_settings
from pixel_env.media.pillow_settings import own_settings


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def noise(side=200):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "GIF"])
def test_half_a_picture_is_a_fault_where_another_library_lets_halves_through(
    monkeypatch, file_format
):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    half = encoded(noise(), file_format)
    half = half[: len(half) // 2]
    for media in (half, lambda: Image.open(io.BytesIO(half))):
        with pytest.raises(DataError, match=r"half can't be read"):
            _ = ImageSource(media, "half").size
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_threads_that_read_at_once_leave_the_settings_as_they_were(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    data = encoded(noise(), "PNG")
    with ThreadPoolExecutor(4) as pool:
        sizes = set(pool.map(lambda _: ImageSource(data).size, range(32)))
    assert sizes == {(200, 200)}
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert Image.MAX_IMAGE_PIXELS == 1_000


def test_what_is_set_while_a_picture_is_read_stays(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    with own_settings(), own_settings():
        assert Image.MAX_IMAGE_PIXELS is None
        Image.MAX_IMAGE_PIXELS = 7
    assert Image.MAX_IMAGE_PIXELS == 7


def with_chunk(kind, content):
    """A grey PNG with one more chunk behind its header."""
    whole = encoded(Image.new("L", (4, 4), 90), "PNG")
    chunk = struct.pack(">I", len(content)) + kind + content
    chunk += struct.pack(">I", zlib.crc32(kind + content))
    return whole[:33] + chunk + whole[33:]


LARGE = b" " * (3 * 2**20)
"""What unpacks to more than Pillow's own limit of 1 MiB."""


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"zTXt", b"Comment\0\0" + zlib.compress(LARGE)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LARGE)),
        (b"iCCP", b"profile\0\0" + zlib.compress(LARGE)),
    ],
)
def test_a_png_with_a_large_text_or_profile_is_read(kind, content):
    data = with_chunk(kind, content)
    with pytest.raises(ValueError, match="too large"):
        Image.open(io.BytesIO(data)).load()
    source = ImageSource(data)
    assert source.overview(source.size).tolist() == [[[90] * 3] * 4] * 4
    assert PngImagePlugin.MAX_TEXT_CHUNK == 2**20


def test_a_text_that_unpacks_beyond_the_limit_is_a_fault_and_none_is_kept(monkeypatch):
    data = with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LARGE))
    source = ImageSource(data)
    _ = source.size
    assert source._decoded.info == {}
    ours = [
        (module, name, 2**21 if name == "MAX_TEXT_CHUNK" else value)
        for module, name, value in pillow_settings._OURS
    ]
    monkeypatch.setattr(pillow_settings, "_OURS", ours)
    with pytest.raises(DataError, match="too large"):
        _ = ImageSource(data).size
