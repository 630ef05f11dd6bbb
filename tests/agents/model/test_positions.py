"""Positions from recorded spans equal those that transformers derives from token types."""

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, tiny_model

from pixel_env.agents.model.positions import rotary_positions
from pixel_env.agents.tokens.trajectory import EncodedImage


def image(rows, columns):
    return EncodedImage(np.zeros((rows * columns * 4, 1), np.float32), (1, 2 * rows, 2 * columns))


CASES = [
    (9, [], []),
    (20, [image(2, 3)], [4]),
    (30, [image(1, 1), image(3, 2), image(1, 5)], [0, 4, 25]),
    (40, [image(4, 4), image(2, 6)], [3, 20]),
]


def stock_positions(model, rows, length):
    """transformers' own positions of rows padded behind, (3, rows, length)."""
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    types = torch.zeros(len(rows), length, dtype=torch.int)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    grids = []
    for row, (n, images, starts) in enumerate(rows):
        mask[row, :n] = 1
        for each, start in zip(images, starts, strict=True):
            types[row, start : start + each.n_tokens] = 1
            grids.append(each.grid)
    positions, _ = model.model.get_rope_index(
        ids, types, image_grid_thw=torch.tensor(grids), attention_mask=mask
    )
    return positions.numpy(), mask.bool().numpy()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equal_those_of_transformers_with_several_images_and_padding(architecture):
    expected, real = stock_positions(tiny_model(architecture), CASES, 44)
    for row, (length, images, starts) in enumerate(CASES):
        positions, _ = rotary_positions(length, images, starts)
        np.testing.assert_array_equal(positions, expected[:, row, real[row]])


@pytest.mark.parametrize("cut", [2, 12, 29, 33])
def test_two_stretches_are_numbered_like_one(cut):
    length, images, starts = 40, [image(2, 4), image(4, 1)], [3, 15]
    whole, after_whole = rotary_positions(length, images, starts)
    first = [i for i, start in enumerate(starts) if start < cut]
    rest = [i for i in range(len(starts)) if i not in first]
    head, middle = rotary_positions(cut, [images[i] for i in first], [starts[i] for i in first])
    tail, end = rotary_positions(
        length - cut, [images[i] for i in rest], [starts[i] - cut for i in rest], middle
    )
    np.testing.assert_array_equal(np.concatenate([head, tail], axis=1), whole)
    assert end == after_whole


def test_the_next_number_follows_the_longer_side():
    _, after = rotary_positions(1 + 10 + 1, [image(2, 5)], [1], first=100)
    assert after == 100 + 1 + 5 + 1
