"""Pictures of messages, and tokens that are of other sizes than theirs."""

import pytest

from pixel_env.chat.pictures import check_image_tokens, pictures_of
from pixel_env.errors import ConfigError


def test_pictures_stand_in_reading_order():
    shown = [{"type": "image", "image": "a"}, {"type": "text", "text": "b"}]
    messages = [
        {"content": "c"},
        {"content": shown},
        {"content": [{"type": "image", "image": "d"}]},
    ]
    assert pictures_of(messages) == ["a", "d"]


def test_tokens_of_the_pictures_own_sizes_are_taken():
    check_image_tokens([(56, 84), (28, 28)], 28, 2 * 3 + 1)


@pytest.mark.parametrize(("sizes", "n_tokens"), [([(56, 84)], 5), ([(60, 84)], 6)])
def test_a_resized_picture_is_named_with_what_helps(sizes, n_tokens):
    with pytest.raises(ConfigError, match=r"expected 6 image tokens.*side_multiple=28"):
        check_image_tokens(sizes, 28, n_tokens)
