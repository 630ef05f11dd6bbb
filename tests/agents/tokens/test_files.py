"""Trajectories come back from a file as they were, with shared pictures shared."""

import dataclasses

import numpy as np
import pytest

from pixel_env.agents.tokens.files import load_trajectories, save_trajectories
from pixel_env.agents.tokens.trajectory import EncodedImage, TokenTrajectory, Turn
from pixel_env.errors import DataError


def trajectory(seed, images=None):
    rng = np.random.default_rng(seed)
    image = EncodedImage(rng.random((16, 3), dtype=np.float32), (1, 4, 4))
    return TokenTrajectory(
        ids=rng.integers(0, 9, 7),
        trainable=rng.random(7) < 0.5,
        logprobs=rng.normal(size=7).astype(np.float32),
        images=images or (image,),
        image_starts=(1,) * len(images or (image,)),
        turns=(Turn("user", 0, 5), Turn("assistant", 5, 7)),
        reward=0.1 + seed,
        reward_terms={"score": 0.1, "bonus": seed},
        sample_id=f"sample-{seed}",
        group=seed,
        info={"correct": np.bool_(True), "box": (0.1, 0.2)},
        mask_reason="overlong" if seed else "",
    )


def test_trajectories_come_back_exactly_with_shared_pictures_shared(tmp_path):
    first = trajectory(0)
    wide = EncodedImage(np.ones((4, 5), np.float32), (1, 2, 2), merge=1)
    second = trajectory(1, images=(wide, first.images[0]))
    path = tmp_path / "stored.safetensors"
    save_trajectories(path, [first, second])
    one, two = load_trajectories(path)
    assert one.images[0] is two.images[1]
    assert np.array_equal(two.images[0].patches, wide.patches)
    assert (two.images[0].grid, two.images[0].merge) == ((1, 2, 2), 1)
    for saved, loaded in ((first, one), (second, two)):
        for name in ("ids", "trainable", "logprobs"):
            expected, got = getattr(saved, name), getattr(loaded, name)
            assert got.dtype == expected.dtype
            assert np.array_equal(got, expected)
        for name in ("image_starts", "turns", "reward", "reward_terms", "sample_id", "group"):
            assert getattr(loaded, name) == getattr(saved, name)
        assert loaded.mask_reason == saved.mask_reason
        assert loaded.info == {"correct": True, "box": [0.1, 0.2]}


def test_importance_weights_come_back_where_there_were_any(tmp_path):
    weights = [np.arange(7, dtype=np.float32) + shift for shift in (0, 10)]
    saved = [
        dataclasses.replace(trajectory(0), importance=weights[0]),
        trajectory(1),
        dataclasses.replace(trajectory(2), importance=weights[1]),
    ]
    save_trajectories(tmp_path / "stored.safetensors", saved)
    first, plain, last = load_trajectories(tmp_path / "stored.safetensors")
    np.testing.assert_array_equal(first.importance, weights[0])
    assert plain.importance is None
    np.testing.assert_array_equal(last.importance, weights[1])
    np.testing.assert_array_equal(last.ids, saved[2].ids)


def test_no_trajectories_and_a_broken_file(tmp_path):
    path = tmp_path / "stored.safetensors"
    save_trajectories(path, [])
    assert load_trajectories(path) == []
    path.write_bytes(b"not a file of tensors")
    with pytest.raises(DataError, match=r"stored\.safetensors holds no readable trajectories"):
        load_trajectories(path)
