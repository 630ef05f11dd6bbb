"""Rollouts in one row: what they share stands once, and each token reads its own conversation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from pixel_env.agents.model import tree_attention
from pixel_env.agents.model.packing import SharedRow, pack
from pixel_env.agents.model.tree_attention import Segment, Tree
from pixel_env.agents.tokens.trajectory import EncodedImage, Piece, TrajectoryBuilder

CPU = torch.device("cpu")


def image(grey=0.0, grid=(1, 2, 2)):
    """A picture of one token where the grid is of 2 x 2 patches."""
    return EncodedImage(np.full((int(np.prod(grid)), 3), grey, np.float32), grid)


def rollout(*turns):
    """A rollout of prompts and responses in turn, as lists of ids; a picture stands for token 5."""
    record = TrajectoryBuilder()
    for number, turn in enumerate(turns):
        ids = np.array([5 if isinstance(each, EncodedImage) else each for each in turn], np.int64)
        if number % 2:
            record.add_response(ids)
            continue
        shown = tuple(each for each in turn if isinstance(each, EncodedImage))
        starts = tuple(at for at, each in enumerate(turn) if isinstance(each, EncodedImage))
        record.add_prompt(Piece(ids, shown, starts))
    return record.build()


def test_a_shared_opening_stands_once_by_hand():
    seen = image()
    packed = pack([rollout([1, seen, 2], [3, 4]), rollout([1, seen, 2], [6, 7, 8])], CPU)
    assert packed.stretch.ids.tolist() == [[1, 5, 2, 3, 4, 6, 7, 8]]
    assert packed.stretch.is_image.tolist() == [[False, True] + [False] * 6]
    assert packed.stretch.images == (seen,)
    assert packed.tree.segments == (Segment(0, 5), Segment(5, 8, ((0, 3),)))
    assert [own.tolist() for own in packed.columns] == [[0, 1, 2, 3, 4], [0, 1, 2, 5, 6, 7]]
    # The picture of one token moves time, height and width on by one, as text does.
    assert packed.stretch.positions[:, 0].tolist() == [[0, 1, 2, 3, 4, 3, 4, 5]] * 3


def test_a_later_fork_reads_the_stretches_of_its_own_conversation_only():
    rollouts = [
        rollout([1], [2], [3], [4]),
        rollout([1], [9], [3], [4]),  # another answer: the turns behind it are others, too
        rollout([1], [2], [3], [6]),
        rollout([1], [9], [3], [7, 7]),
    ]
    packed = pack(rollouts, CPU)
    assert packed.stretch.ids.tolist() == [[1, 2, 3, 4, 9, 3, 4, 6, 7, 7]]
    assert packed.tree.segments == (
        Segment(0, 4),
        Segment(4, 7, ((0, 1),)),
        Segment(7, 8, ((0, 3),)),
        Segment(8, 10, ((0, 1), (4, 6))),
    )
    assert [own.tolist() for own in packed.columns] == [
        [0, 1, 2, 3],
        [0, 4, 5, 6],
        [0, 1, 2, 7],
        [0, 4, 5, 8, 9],
    ]
    for own, each in zip(packed.columns, rollouts, strict=True):
        assert packed.stretch.ids[0, own].tolist() == each.ids.tolist()


def test_equal_rollouts_take_no_more_room_and_are_scored_both():
    packed = pack([rollout([1], [2])] * 2, CPU)
    assert packed.stretch.ids.tolist() == [[1, 2]]
    assert [own.tolist() for own in packed.columns] == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("other", "length"),
    [
        (image(0.0), 3),  # equal pixels, cut out anew
        (image(0.5), 6),
        (image(0.0, grid=(1, 4, 2)), 6),
    ],
)
def test_pictures_are_compared_by_their_pixels(other, length):
    row = SharedRow()
    row.add(rollout([1, image(0.0)], [2]))
    second = rollout([1, other], [2])
    assert row.n_new(second) == length - 3
    row.add(second)
    assert row.length == length


def test_rollouts_without_turns_are_packed_whole():
    one, two = (replace(rollout([1, 2], [n]), turns=()) for n in (3, 4))
    assert pack([one, two], CPU).tree.segments == (Segment(0, 3), Segment(3, 6))


@pytest.mark.parametrize("key_heads", [1, 2, 4])
@pytest.mark.parametrize("most_alone", [0, 10, 2**17])
def test_attention_is_softmax_over_the_own_conversation(key_heads, most_alone, monkeypatch):
    monkeypatch.setattr(tree_attention, "_MOST_ALONE", most_alone)  # none, some, all together
    torch.manual_seed(0)
    segments = (Segment(0, 4), Segment(4, 6, ((0, 2),)), Segment(6, 9, ((0, 2), (4, 5))))
    reads = [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 4], [0, 1, 4, 5]]
    reads += [[0, 1, 4, 6], [0, 1, 4, 6, 7], [0, 1, 4, 6, 7, 8]]
    query = torch.randn(1, 4, 9, 8, dtype=torch.float64)
    key, value = (torch.randn(1, key_heads, 9, 8, dtype=torch.float64) for _ in range(2))
    attended = Tree(segments, CPU)(query, key, value)
    for head in range(4):
        own = head * key_heads // 4
        for column, read in enumerate(reads):
            weights = torch.softmax(key[0, own, read] @ query[0, head, column] / 8**0.5, 0)
            expected = weights @ value[0, own, read]
            torch.testing.assert_close(attended[0, column, head], expected)


def test_short_stretches_attend_together_and_long_ones_alone(monkeypatch):
    calls = []

    def watched(query, key, value, **settings):
        calls.append((tuple(query.shape), key.shape[2]))
        return scaled_dot_product_attention(query, key, value, **settings)

    monkeypatch.setattr(tree_attention, "scaled_dot_product_attention", watched)
    short = tuple(Segment(10 * n, 10 * n + 10) for n in range(20))
    long = Segment(200, 1200, ((0, 5),))
    row = torch.randn(1, 2, 1200, 4)
    Tree((*short, long), CPU)(row, row, row)
    assert calls == [((1, 2, 1000, 4), 1005), ((20, 2, 10, 4), 10)]


@pytest.mark.parametrize(("lengths", "most"), [([40] * 6 + [3] * 50, 1.3), ([9, 7, 5, 3, 1], 1.3)])
def test_little_is_computed_in_vain(lengths, most):
    stops = np.cumsum(lengths)
    segments = [Segment(int(stop) - n, int(stop)) for stop, n in zip(stops, lengths, strict=True)]
    groups = tree_attention._groups(segments)
    assert sorted(each.start for group in groups for each in group) == [s.start for s in segments]
    needed = sum(n * n for n in lengths)
    assert sum(len(group) * max(map(len, group)) ** 2 for group in groups) <= most * needed
