"""The threshold of a sample falls where earlier rollouts were right without a call."""

import numpy as np
import pytest

from pixel_env import ConfigError, answer, zoom_in
from pixel_env.wrappers import AdaptiveCuriosity

ZOOM = zoom_in([0.25, 0.25, 0.75, 0.75])
RIGHT, WRONG = answer("B"), answer("A")


def run_group(envs, index, *plans):
    """Runs one group on a sample, a plan of actions a lane, and returns its last infos."""
    envs.reset(options={"index": [index] * envs.num_envs})
    for turn in range(max(map(len, plans))):
        *_, infos = envs.step([plan[turn] if turn < len(plan) else None for plan in plans])
    return infos


def test_a_sample_without_a_history_has_the_papers_threshold(make_vector):
    infos = run_group(AdaptiveCuriosity(make_vector(8), 8), 0, [ZOOM, RIGHT], *[[RIGHT]] * 7)
    assert infos["threshold"] == pytest.approx([0.3] * 8)
    assert infos["curiosity_bonus"] == pytest.approx([0.0875] + [0.0] * 7)


def test_the_threshold_counts_only_rollouts_without_a_call(make_vector):
    envs = AdaptiveCuriosity(make_vector(4), 4, threshold=0.8)
    run_group(envs, 0, [ZOOM, RIGHT], [RIGHT], [RIGHT], [WRONG])
    infos = run_group(envs, 0, [ZOOM, RIGHT], *[[WRONG]] * 3)
    # 3 had no call, 2 of them were right: 0.8 * (1 - 2 / 4) = 0.4, and 0.5 * (0.4 - 0.25)
    assert infos["threshold"] == pytest.approx([0.4] * 4)
    assert infos["curiosity_bonus"] == pytest.approx([0.075, 0, 0, 0])
    assert envs.state() == {"tiny-0": [6, 2]}


def test_samples_have_histories_of_their_own_unless_they_share_a_category(make_vector):
    alone, shared = (
        AdaptiveCuriosity(make_vector(2), 2, per=per) for per in ("sample", "category")
    )
    for envs in (alone, shared):
        run_group(envs, 0, [RIGHT], [RIGHT])
    assert run_group(alone, 1, [RIGHT], [RIGHT])["threshold"] == pytest.approx([0.3, 0.3])
    assert run_group(shared, 1, [RIGHT], [RIGHT])["threshold"] == pytest.approx([0.1, 0.1])


def test_an_answer_given_now_does_not_set_what_is_paid_now(make_vector):
    envs = AdaptiveCuriosity(make_vector(2), 1, threshold=1.0)
    envs.reset(options={"index": [0, 0]})
    *_, infos = envs.step([RIGHT, RIGHT])
    assert infos["threshold"].tolist() == [1.0, 1.0]


def test_the_history_goes_into_a_checkpoint_and_back(make_vector):
    envs = AdaptiveCuriosity(make_vector(2), 2)
    run_group(envs, 0, [RIGHT], [WRONG])
    restored = AdaptiveCuriosity(make_vector(2), 2)
    restored.restore(envs.state())
    expected = run_group(envs, 0, [RIGHT], [RIGHT])["threshold"]
    assert np.array_equal(run_group(restored, 0, [RIGHT], [RIGHT])["threshold"], expected)
    with pytest.raises(ConfigError, match="rollouts, right"):
        restored.restore({"tiny-0": [1, 2]})


def test_an_unknown_key_of_histories_is_refused(make_vector):
    with pytest.raises(ConfigError, match="category"):
        AdaptiveCuriosity(make_vector(2), 2, per="categories")
