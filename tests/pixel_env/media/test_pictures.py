"""Pictures of every kind come out as RGB pixels; broken ones are named."""

import copy
import io
import pickle
import struct
import threading
import weakref
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from pixel_env import ConfigError, DataError, ImageSource
from pixel_env.media.pictures import RecentPictures, resample


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def bomb():
    """Makes a small PNG whose header promises 20,000 x 20,000 pixels."""
    data = encoded(Image.new("1", (8, 8)), "PNG")
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def pixels(source):
    return source.overview(source.size)


def halves(width=40, height=20):
    """Left half red, right half blue."""
    array = np.zeros((height, width, 3), np.uint8)
    array[:, : width // 2, 0] = 255
    array[:, width // 2 :, 2] = 255
    return array


def test_path_bytes_picture_array_and_function_give_the_same_pixels(tmp_path):
    array = halves()
    path = tmp_path / "halves.png"
    Image.fromarray(array).save(path)
    kinds = [path, str(path), path.read_bytes(), Image.fromarray(array), array, lambda: array]
    for media in [*kinds, lambda: Image.fromarray(array)]:
        assert np.array_equal(pixels(ImageSource(media)), array)


def test_nothing_is_opened_before_the_first_use_and_then_once():
    calls = []
    source = ImageSource(lambda: calls.append(1) or halves())
    assert calls == []
    assert source.size == (40, 20)
    source.region((0, 0, 0.5, 1), (20, 20))
    assert calls == [1]
    source.release()
    assert source.size == (40, 20)
    assert calls == [1, 1]


def test_several_threads_decode_once():
    calls = []
    source = ImageSource(lambda: calls.append(1) or halves())
    threads = [threading.Thread(target=pixels, args=(source,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


@pytest.mark.parametrize("size", [(20, 20), (10, 10), (6, 4), (100, 60)])
def test_a_region_holds_no_pixel_from_beyond_its_box(size):
    source = ImageSource(halves())
    left = source.region((0, 0, 0.5, 1), size)
    right = source.region((0.5, 0, 1, 1), size)
    assert left.shape == (size[1], size[0], 3)
    assert (left == [255, 0, 0]).all()
    assert (right == [0, 0, 255]).all()


def test_corners_are_read_to_the_last_pixel():
    array = np.arange(10 * 10 * 3, dtype=np.uint8).reshape(10, 10, 3)
    source = ImageSource(array)
    assert source.region((0, 0, 0.1, 0.1), (1, 1)).tolist() == [[array[0, 0].tolist()]]
    assert source.region((0.9, 0.9, 1, 1), (1, 1)).tolist() == [[array[9, 9].tolist()]]
    assert np.array_equal(source.region((0, 0, 1, 1), (10, 10)), array)


def test_shrinking_averages_instead_of_skipping():
    checks = np.indices((512, 512)).sum(0) % 2 * 255
    shown = ImageSource(np.repeat(checks[..., None], 3, 2).astype(np.uint8)).overview((16, 16))
    assert abs(shown.astype(float).mean() - 127.5) < 2
    assert shown.std() < 4


def test_regions_are_fresh_arrays():
    source = ImageSource(halves())
    first = pixels(source)
    first[:] = 7
    assert np.array_equal(pixels(source), halves())


def test_an_overview_is_resampled_once_for_all_who_begin_with_it(monkeypatch):
    resampled = []

    def counted(*arguments):
        resampled.append(arguments[2])
        return resample(*arguments)

    monkeypatch.setattr("pixel_env.media.pictures.resample", counted)
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    source = ImageSource(picture)
    first = source.overview((30, 20))
    kept = first.copy()
    first[:] = 0  # a caller's copy is its own
    assert np.array_equal(source.overview((30, 20)), kept)
    assert resampled == [(30, 20)]
    assert source.overview((15, 10)).shape == (10, 15, 3)
    source.overview((30, 20))
    source.release()
    assert np.array_equal(source.overview((30, 20)), kept)
    assert resampled == [(30, 20), (15, 10), (30, 20), (30, 20)]


def test_exif_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    source = ImageSource(encoded(Image.fromarray(halves()), "PNG", exif=exif))
    assert source.size == (20, 40)
    assert pixels(source)[0, 0].tolist() == [255, 0, 0]
    assert pixels(source)[39, 0].tolist() == [0, 0, 255]


def test_transparency_lies_on_white():
    picture = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert (pixels(ImageSource(encoded(picture, "PNG"))) == 255).all()
    grey = Image.new("LA", (4, 4), (0, 0))
    assert (pixels(ImageSource(encoded(grey, "PNG"))) == 255).all()
    array = np.zeros((4, 4, 4), np.uint8)
    assert (pixels(ImageSource(array)) == 255).all()


def test_a_palette_with_a_transparent_colour_lies_on_white():
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((0, 0), 1)
    shown = pixels(ImageSource(encoded(picture, "PNG", transparency=0)))
    assert shown[0, 0].tolist() == [200, 100, 50]
    assert shown[1, 1].tolist() == [255, 255, 255]


def test_16_bits_are_scaled_not_clipped():
    array = np.array([[0, 257 * 100, 65_535]], np.uint16)
    for media in (
        array,
        encoded(Image.fromarray(array), "PNG"),
        encoded(Image.fromarray(array), "TIFF"),
    ):
        assert pixels(ImageSource(media))[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr", "I", "F"])
def test_other_modes_come_out_as_rgb(mode):
    picture = Image.new("RGB", (4, 4), (255, 255, 255)).convert(mode)
    if mode in ("I", "F"):
        picture = (
            picture.point(lambda value: value * 257) if mode == "I" else Image.new("F", (4, 4), 1.0)
        )
    shown = pixels(ImageSource(picture))
    assert shown.dtype == np.uint8
    assert (shown == 255).all()


def test_a_cmyk_jpeg_has_its_colours():
    data = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
    red, green, blue = pixels(ImageSource(data))[8, 8].tolist()
    assert red > 200
    assert green < 60
    assert blue < 60


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixels(ImageSource(data))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    "array",
    [
        np.full((3, 4), 255, np.uint8),
        np.full((3, 4, 1), 255, np.uint8),
        np.ones((3, 4), bool),
        np.ones((3, 4, 3), np.float32),
    ],
)
def test_array_layouts(array):
    shown = pixels(ImageSource(array))
    assert shown.shape == (3, 4, 3)
    assert (shown == 255).all()


@pytest.mark.parametrize(
    "array",
    [np.zeros((3, 4, 2), np.uint8), np.zeros(5, np.uint8), np.zeros((0, 4, 3), np.uint8),
     np.zeros((3, 4, 3), np.int64), np.full((3, 4), 2.0), np.full((3, 4), np.nan)],
)  # fmt: skip
def test_other_arrays_are_a_fault_of_the_data(array):
    with pytest.raises(DataError, match="row 7"):
        _ = ImageSource(array, "row 7").size


def test_broken_files_are_named(tmp_path):
    whole = encoded(Image.fromarray(halves(400, 300)), "JPEG")
    png = encoded(Image.fromarray(halves()), "PNG")
    broken = {
        "missing.jpg": None,
        "empty.jpg": b"",
        "text.jpg": b"<html>not found</html>",
        "truncated.jpg": whole[: len(whole) // 2],
        "truncated.png": png[:-30],
        "bomb.png": bomb(),
    }
    for name, data in broken.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=name) as fault:
            _ = ImageSource(tmp_path / name).size
        assert ("decompression bomb" in str(fault.value)) == (name == "bomb.png")


def test_what_is_no_picture_is_refused_at_once():
    with pytest.raises(ConfigError, match="int"):
        ImageSource(7)


def test_a_source_can_be_pickled_and_copied():
    source = ImageSource(encoded(Image.fromarray(halves()), "PNG"), "halves")
    assert source.size == (40, 20)
    for twin in (pickle.loads(pickle.dumps(source)), copy.deepcopy(source)):
        assert twin.name == "halves"
        assert np.array_equal(pixels(twin), halves())


def test_only_so_many_bytes_of_decoded_pixels_are_kept():
    recent = RecentPictures(max_bytes=250)
    sources = [ImageSource(np.zeros((5, 5, 3), np.uint8)) for _ in range(3)]
    for source in sources:
        assert source.size == (5, 5)
        recent.use(source, 100)
    assert [source._decoded is None for source in sources] == [True, False, False]


def test_pixels_that_nobody_can_reach_are_not_kept():
    recent = RecentPictures(max_bytes=250)
    dropped = ImageSource(np.zeros((5, 5, 3), np.uint8))
    recent.use(dropped, 200)
    gone = weakref.ref(dropped)
    del dropped
    assert gone() is None
    kept = [ImageSource(np.zeros((5, 5, 3), np.uint8)) for _ in range(2)]
    for source in kept:
        assert source.size == (5, 5)
        recent.use(source, 100)
    assert all(source.is_decoded for source in kept), "what is gone counts no longer"


def test_sources_that_come_and_go_in_threads_are_counted_once_each():
    recent = RecentPictures(max_bytes=10**9)

    def come_and_go(_):
        for _ in range(200):
            recent.use(ImageSource(np.zeros((2, 2, 3), np.uint8)), 1)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    last = ImageSource(np.zeros((2, 2, 3), np.uint8))
    recent.use(last, 1)
    assert (recent._n_bytes, len(recent._recent)) == (1, 1)


def test_a_fault_reads_the_same_in_every_run():
    source = ImageSource(b"no picture", name="row 7")
    with pytest.raises(DataError, match=r"7 can.t be read: it is no picture of a known format$"):
        source.overview((8, 8))


def test_header_size_decodes_no_file(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:50])
    for media in (tmp_path / "cut.png", whole[:50], np.zeros((30, 40, 3), np.uint8)):
        assert ImageSource(media).header_size() == (40, 30)
    assert ImageSource(lambda: Image.new("L", (40, 30))).header_size() == (40, 30)
    with pytest.raises(DataError, match=r"b\.png can't be read"):
        ImageSource(tmp_path / "b.png").header_size()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_that_takes_too_long_to_decode_is_a_fault(tmp_path, kind):
    path = tmp_path / f"a.{kind.lower()}"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path, kind)
    for media in (path, path.read_bytes()):
        slow = ImageSource(media, "a (q.jsonl row 3)", max_decode_s=1e-9)
        for source in (slow, pickle.loads(pickle.dumps(slow))):
            with pytest.raises(DataError, match=r"row 3\).* longer than 1e-09 seconds"):
                source.region((0.0, 0.0, 1.0, 1.0), (8, 8))
        assert ImageSource(media).size == (64, 64)
    with pytest.raises(ConfigError, match="over 0, got 0"):
        ImageSource(path, max_decode_s=0)
