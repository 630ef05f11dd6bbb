"""Operations and bytes of small shapes, counted by hand."""

import numpy as np
import pytest

from pixel_env.agents.bench.comparisons import decoding_seconds
from pixel_env.agents.bench.operations import gradient_operations, vision_operations
from pixel_env.agents.model.shapes import SHAPES, ModelShape
from pixel_env.agents.tokens.trajectory import EncodedImage, Piece, TrajectoryBuilder

SHAPE = ModelShape("qwen2_5_vl", 8, 3, 2, 1, 4, 16, 100, False, 5, 12, 16)


def picture(height, width):
    """A picture of height x width patches."""
    return EncodedImage(np.zeros((height * width, 1), np.float32), (1, height, width))


def rollout(prompts, said, image=None):
    """Messages of `said` tokens, each after a prompt of so many tokens; the picture is first."""
    builder = TrajectoryBuilder()
    for turn, (n, n_said) in enumerate(zip(prompts, said, strict=True)):
        images = (image,) if image and turn == 0 else ()
        builder.add_prompt(Piece(np.full(n, turn, np.int64), images, (0,) * len(images)))
        builder.add_response(np.full(n_said, 50, np.int64))
    return builder.build(sample_id="s")


def test_a_gradient_of_one_rollout():
    one = rollout([4], [2])
    # 6 tokens through 3 layers; 1 + 2 + ... + 6 = 21 pairs, 2 x 8 operations each for the product
    # with the keys and as many for the values; 2 trained tokens over 100 rows of width 8.
    forward = 2 * 3 * SHAPE.layer_weights * 6 + 4 * 3 * 8 * 21 + 2 * 8 * 100 * 2
    assert gradient_operations(SHAPE, [one], trains_all=True) == 3 * forward
    assert gradient_operations(SHAPE, [one], trains_all=False) == 2 * forward


def test_what_rollouts_have_in_common_counts_once():
    image = picture(2, 2)
    group = [rollout([4], [1], image), rollout([4], [3], image)]
    # 4 tokens of prompt, then 1 and 3 that each read them: 10 + (4 + 1) + (12 + 6) pairs.
    forward = 2 * 3 * SHAPE.layer_weights * 8 + 4 * 3 * 8 * 33 + 2 * 8 * 100 * 4
    vision = vision_operations(SHAPE, image)
    assert gradient_operations(SHAPE, group, trains_all=True) == 3 * (forward + vision)
    assert gradient_operations(SHAPE, group, trains_all=False) == 2 * forward + vision


def test_windows_of_a_tower():
    # 10 x 18 patches in windows of 8 x 8: 8 and 2 high, 8, 8 and 2 wide. Of 5 layers 4 see all.
    windowed = (64 + 4) * (64 + 64 + 4)
    pairs = 4 * 180**2 + windowed
    expected = 2 * SHAPE.vision_weights * 180 + 4 * 12 * pairs
    assert vision_operations(SHAPE, picture(10, 18)) == expected


def test_a_third_generation_tower_sees_all():
    shape = SHAPES["Qwen/Qwen3-VL-2B-Instruct"]
    pairs = shape.vision_depth * 180**2
    expected = 2 * shape.vision_weights * 180 + 4 * shape.vision_hidden * pairs
    assert vision_operations(shape, picture(10, 18)) == expected


@pytest.mark.parametrize(("at_once", "steps"), [(2, 5 + 2), (1, 3 + 5 + 2)])
def test_the_floor_of_decoding(at_once, steps):
    lanes = [rollout([4], [3]), rollout([6, 1], [5, 2])]
    weights = 3 * SHAPE.layer_weights + 100 * 8
    # A token reads what stands before it, half of its own message in the mean.
    cached = 3 * 5.5 + 5 * 8.5 + 2 * 13
    n_bytes = 2 * (steps * weights + cached * 2 * 3 * 1 * 4)
    assert decoding_seconds(SHAPE, lanes, at_once, 100.0) == pytest.approx(n_bytes / 100)
