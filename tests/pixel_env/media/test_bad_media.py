"""Pictures as data sets hold them: each gives the right pixels, or one error that names it."""

import io
import re

import numpy as np
import pytest
from pictures import png
from PIL import Image, ImageCms, PngImagePlugin

from pixel_env import DataError, EnvConfig, ImageSource, PixelReasoningEnv, Sample, zoom_in
from pixel_env.history import History
from pixel_env.media import rgb
from pixel_env.media.geometry import fit

CORNERS = np.array(
    [[[250, 0, 0], [0, 250, 0], [0, 0, 250]], [[9, 9, 9], [90, 90, 90], [200, 5, 99]]]
)
"""Two rows of three pixels, all different."""


def corners(scale=1):
    return np.kron(CORNERS, np.ones((scale, scale, 1))).astype(np.uint8)


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def pixels(media):
    source = ImageSource(media)
    return source.overview(source.size)


UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored[::-1].transpose(1, 0, 2),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored.transpose(1, 0, 2)[::-1],
}
"""How a picture is brought upright, by EXIF's orientation; 6 is a quarter turn clockwise."""


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_every_exif_orientation_is_brought_upright(orientation, file_format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(Image.fromarray(corners()), file_format, exif=exif, **lossless)
    assert np.array_equal(pixels(data), UPRIGHT[orientation](corners()))


def test_orientation_6_puts_the_left_column_on_top():
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = pixels(encoded(Image.fromarray(corners()), "PNG", exif=exif))
    assert shown[0].tolist() == [[9, 9, 9], [250, 0, 0]]


@pytest.mark.parametrize("depth_bytes", [b"\x00\x00", b"\x64\x64", b"\xff\xff"])
def test_16_bit_colours_become_their_8_bit_ones(depth_bytes):
    value = depth_bytes[0]
    row = b"\x00" + depth_bytes + b"\x00\x00" + b"\xff\xff"
    assert pixels(png(1, 2, 16, 2, row * 2)).tolist() == [[[value, 0, 255]]] * 2


def test_16_bit_grey_becomes_its_8_bit_one():
    rows = b"\x00" + b"\x00\x00" + b"\x64\x64" + b"\xff\xff"
    assert pixels(png(3, 1, 16, 0, rows))[0].tolist() == [[0] * 3, [100] * 3, [255] * 3]


def test_half_transparent_pixels_are_mixed_with_white():
    rgba = Image.new("RGBA", (2, 2), (255, 0, 0, 51))  # a fifth of red, four of white
    assert pixels(encoded(rgba, "PNG"))[0, 0].tolist() == [255, 204, 204]
    assert pixels(encoded(rgba, "WEBP", lossless=True))[0, 0].tolist() == [255, 204, 204]
    grey = Image.new("LA", (2, 2), (0, 102))  # two fifths of black
    assert pixels(encoded(grey, "PNG"))[0, 0].tolist() == [153, 153, 153]


def test_a_16_bit_transparent_png_lies_on_white():
    row = b"\x00" + b"\x00\x00" * 3 + b"\x00\x00"
    assert pixels(png(1, 1, 16, 6, row)).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize(
    ("bits", "colour", "row", "transparent", "shown"),
    [
        (16, 0, b"\x00\x00\x64\x64\x64\x65", b"\x64\x64", [0, 255, 100]),
        (16, 0, b"\x00\x00\x64\x64\xff\xff", b"\x00\x00", [255, 100, 255]),
        (8, 0, b"\x00\x64\x65", b"\x00\x64", [0, 255, 101]),
        (4, 0, b"\x0f\x60", b"\x00\x0f", [0, 255, 102]),
        (2, 0, b"\x24", b"\x00\x02", [0, 255, 85]),
        (1, 0, b"\x40", b"\x00\x00", [255, 255, 255]),
    ],
)
def test_the_transparent_grey_of_a_png_of_any_depth_lies_on_white(
    bits, colour, row, transparent, shown
):
    data = png(3, 1, bits, colour, b"\x00" + row, transparent)
    assert pixels(data)[0].tolist() == [[value] * 3 for value in shown]


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_of_a_png_lies_on_white(bits):
    wide = bits // 8  # a sample of 16 bits is one of 8 written twice
    row = b"".join(bytes([value] * wide) for value in (0, 0, 0, 10, 20, 30))
    transparent = b"".join(
        bytes([value] * 2 if wide == 2 else [0, value]) for value in (10, 20, 30)
    )
    assert pixels(png(2, 1, bits, 2, b"\x00" + row, transparent))[0].tolist() == [
        [0] * 3,
        [255] * 3,
    ]


def test_a_picture_of_many_strips_is_that_of_one(monkeypatch):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (50, 30, 4), np.uint8), "RGBA")
    exif = Image.Exif()
    exif[0x0112] = 8
    data = encoded(picture, "PNG", exif=exif)
    whole = pixels(data)
    for strip_pixels in (1, 100, 30 * 49):
        monkeypatch.setattr(rgb, "_STRIP_PIXELS", strip_pixels)
        assert np.array_equal(pixels(data), whole)


def test_an_animation_with_a_transparent_colour_gives_its_first_frame():
    first, second = (Image.new("P", (4, 4), index) for index in (1, 2))
    for frame in (first, second):
        frame.putpalette([0, 0, 0, 10, 200, 30, 255, 0, 0])
    first.putpixel((3, 3), 0)
    data = encoded(first, "GIF", save_all=True, append_images=[second], transparency=0)
    shown = pixels(data)
    assert shown[0, 0].tolist() == [10, 200, 30]
    assert shown[3, 3].tolist() == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["TIFF", "WEBP", "PNG"])
def test_a_file_of_several_pictures_gives_its_first(file_format):
    second = Image.new("RGB", (3, 2), (1, 2, 3))
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(
        Image.fromarray(corners()), file_format, save_all=True, append_images=[second], **lossless
    )
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.n_frames == 2
    assert np.array_equal(pixels(data), corners())


def test_cmyk_is_inked_on_white():
    inks = Image.new("CMYK", (2, 2), (255, 0, 0, 0))
    inks.putpixel((1, 0), (0, 0, 0, 255))
    shown = pixels(encoded(inks, "TIFF"))
    assert shown[0, 0].tolist() == [0, 255, 255]
    assert shown[0, 1].tolist() == [0, 0, 0]
    assert shown[1, 1].tolist() == [0, 255, 255]


def test_a_colour_profile_changes_no_number():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(Image.fromarray(corners()), "PNG", icc_profile=profile)
    assert np.array_equal(pixels(data), corners())


def test_a_link_to_a_picture_is_read_and_one_to_nothing_is_named(tmp_path):
    Image.fromarray(corners()).save(tmp_path / "real.png")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real.png")  # its suffix is wrong as well
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "gone.png")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    assert np.array_equal(pixels(tmp_path / "link.jpg"), corners())
    for name in ("dead.jpg", "loop.jpg"):
        with pytest.raises(DataError, match=name):
            pixels(tmp_path / name)


def broken_files(folder):
    """Writes files that hold no picture, by name."""
    whole = encoded(Image.fromarray(corners(100)), "JPEG")
    files = {
        "empty.jpg": b"",
        "text.jpg": b"<!DOCTYPE html><title>404 Not Found</title>",
        "cut.jpg": whole[: len(whole) // 2],
        "header_only.jpg": whole[:20],
        "cut.webp": encoded(Image.fromarray(corners(50)), "WEBP")[:-40],
        "cut.tiff": encoded(Image.fromarray(corners(50)), "TIFF")[:200],
        "cut.gif": encoded(Image.fromarray(corners(50)), "GIF")[:60],
        "cut.png": encoded(Image.fromarray(corners(50)), "PNG")[:-40],
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "folder.jpg").mkdir()
    return [*files, "folder.jpg", "missing.jpg"]


def test_what_is_no_picture_is_one_error_that_names_file_and_row(tmp_path):
    for name in broken_files(tmp_path):
        path = tmp_path / name
        for media in [path] + ([path.read_bytes()] if path.is_file() else []):
            source = ImageSource(media, f"{path} (rows.jsonl row 7)")
            with pytest.raises(DataError, match=rf"picture .*{name} \(rows.jsonl row 7\)") as fault:
                _ = source.size
            assert not re.search(r"\n|0x", str(fault.value))  # one line, the same in every run


def test_a_picture_of_900_million_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    """The file is whole: 30,000 rows of 30,000 black pixels in a hundred kilobytes."""
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: pytest.fail("decoded"))
    path = tmp_path / "bomb.png"
    path.write_bytes(png(30_000, 30_000, 1, 0, bytes(3_751 * 30_000)))
    assert path.stat().st_size < 10**6
    with pytest.raises(DataError, match=r"bomb\.png.*30000 x 30000 pixels.*decompression bomb"):
        _ = ImageSource(path).size


@pytest.mark.filterwarnings("error")
def test_pillows_own_limit_neither_warns_nor_refuses_and_is_left_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    monkeypatch.setattr(rgb, "MAX_PIXELS", 60 * 60)
    data = encoded(Image.new("RGB", (60, 60), (7, 8, 9)), "PNG")
    source = ImageSource(data)
    assert source.region((0, 0, 1, 0.9), (60, 54)).tolist() == [[[7, 8, 9]] * 60] * 54
    with pytest.raises(DataError, match="61 x 60 pixels, and over 3,600"):
        pixels(encoded(Image.new("RGB", (61, 60)), "PNG"))
    assert Image.MAX_IMAGE_PIXELS == 1_000


def test_the_limit_lets_large_pages_through():
    assert 180_000_000 <= rgb.MAX_PIXELS < 30_000 * 30_000


@pytest.mark.parametrize(
    "size", [(1, 5_000), (5_000, 1), (20_000, 40), (1_000, 10_000), (1, 1), (3, 2), (65_000, 1)]
)
@pytest.mark.parametrize("preset", [None, "pixel-reasoner"])
def test_pictures_of_any_shape_are_shown_with_sides_in_the_allowed_range(size, preset):
    config = EnvConfig.of(preset)
    picture = ImageSource(np.zeros((size[1], size[0], 3), np.uint8))
    history = History(Sample("1", "What is it?", (picture,), ("thin",)), config)
    height, width = history.view(1).image.shape[:2]
    assert (width, height) == fit(*size, *config.overview_px)
    assert width % 28 == height % 28 == 0
    assert config.overview_px[0] <= width * height <= config.overview_px[1]
    assert width > height if size[0] > size[1] else width <= height or size[0] == size[1]


def test_a_thin_picture_can_be_zoomed_into(picture_task):
    picture_task.width, picture_task.height = 20_000, 40
    env = PixelReasoningEnv(picture_task)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    observation, *_, info = env.step(zoom_in([0.5, 0, 0.502, 1]))
    assert info["executed_box"] == (0.5, 0.0, 0.502, 1.0)
    assert observation["images"][0].shape[0] == observation["images"][0].shape[1]
    *_, info = env.step(zoom_in([0.5, 0, 0.5001, 1]))
    assert info["operation_error"] == "too_small"
