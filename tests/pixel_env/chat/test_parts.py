"""Observations as parts of messages: text and pictures in the dialect's order, every pixel kept."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pixel_env.chat import AsArray, AsDataURL, AsPillow, message_parts
from pixel_env.dialects import DIALECTS, get_dialect
from pixel_env.errors import ConfigError

PICTURE = np.random.default_rng(0).integers(0, 256, (56, 84, 3), dtype=np.uint8)


def observation(turn=1, images=(PICTURE, PICTURE[::-1])):
    return {
        "question": "Which?",
        "choices": ("red", "blue"),
        "images": images,
        "first_image": 1,
        "feedback": "Image 2 is a region.",
        "turn": turn,
        "turns_left": 1,
        "n_frames": 0,
    }


def decoded(url):
    head, _, data = url.partition(",")
    return head, np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("turn", [0, 1])
def test_parts_are_what_the_dialect_tells_in_its_order(name, turn):
    dialect, news = get_dialect(name), observation(turn)
    parts = message_parts(dialect, news, AsArray())
    told = dialect.tell(news)
    assert len(parts) == len(told) >= 3
    for part, expected in zip(parts, told, strict=True):
        if isinstance(expected, str):
            assert part == {"type": "text", "text": expected}
        else:
            assert part["type"] == "image"
            np.testing.assert_array_equal(part["image"], expected)


def test_png_keeps_every_pixel_and_jpeg_is_smaller_the_lower_its_quality():
    smooth = np.asarray(Image.fromarray(PICTURE).resize((252, 168)))
    head, pixels = decoded(AsDataURL()(smooth)["image_url"]["url"])
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(pixels, smooth)
    high, low = (AsDataURL("jpeg", quality)(smooth)["image_url"]["url"] for quality in (95, 30))
    assert decoded(low)[0] == "data:image/jpeg;base64"
    assert decoded(low)[1].shape == smooth.shape
    assert len(low) < len(high)


def test_detail_is_sent_only_where_it_is_set():
    assert "detail" not in AsDataURL()(PICTURE)["image_url"]
    assert AsDataURL(detail="low")(PICTURE)["image_url"]["detail"] == "low"


def test_a_pillow_picture_shares_no_memory_with_the_observation():
    image = PICTURE.copy()
    made = AsPillow()(image)["image"]
    image[:] = 0
    np.testing.assert_array_equal(np.asarray(made), PICTURE)


@pytest.mark.parametrize("wrong", [{"encoding": "gif"}, {"quality": 0}, {"detail": "best"}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        AsDataURL(**wrong)
