"""Orders without lists, and options that move with their answer."""

from hypothesis import given
from hypothesis import strategies as st

from pixel_env import Sample
from pixel_env.shuffle import shuffled_index, with_shuffled_options


@given(st.integers(1, 300), st.integers(0, 2**62), st.integers(0, 3))
def test_every_pass_visits_every_index_once(length, key, epoch):
    start = epoch * length
    visited = [shuffled_index(start + place, length, key) for place in range(length)]
    assert sorted(visited) == list(range(length))


def test_orders_differ_by_key_and_by_pass():
    orders = {tuple(shuffled_index(i, 50, key) for i in range(50)) for key in range(20)}
    passes = {tuple(shuffled_index(50 * e + i, 50, 1) for i in range(50)) for e in range(20)}
    assert len(orders) == len(passes) == 20
    assert tuple(range(50)) not in orders | passes


def test_a_million_samples_cost_no_list():
    drawn = {shuffled_index(position, 1_000_000, 7) for position in range(2000)}
    assert len(drawn) == 2000
    assert max(drawn) > 900_000
    assert min(drawn) < 100_000


def test_first_places_are_spread_evenly_over_keys():
    counts = [0] * 4
    for key in range(4000):
        counts[shuffled_index(0, 4, key)] += 1
    assert all(850 < count < 1150 for count in counts)


def make_sample(name, choices=("a", "b", "c", "d"), right=2):
    return Sample(name, "Which?", (), (choices[right],) if choices else ("x",), choices, right)


def test_the_right_option_moves_with_its_text():
    for number in range(50):
        shown = with_shuffled_options(make_sample(f"s{number}"))
        assert sorted(shown.choices) == ["a", "b", "c", "d"]
        assert shown.choices[shown.right_choice] == "c"


def test_places_of_the_right_option_are_even():
    counts = [0] * 4
    for number in range(4000):
        counts[with_shuffled_options(make_sample(f"s{number}")).right_choice] += 1
    assert all(850 < count < 1150 for count in counts)


def test_the_order_is_fixed_by_the_id_for_all_time():
    assert with_shuffled_options(make_sample("sample-1")).choices == ("c", "a", "d", "b")


def test_a_free_answer_has_nothing_to_shuffle():
    shown = with_shuffled_options(make_sample("s", (), None))
    assert (shown.choices, shown.right_choice) == ((), None)


def test_equal_options_keep_the_right_one():
    shown = with_shuffled_options(make_sample("s", ("a", "a", "a"), 1))
    assert shown.choices == ("a", "a", "a")
    assert 0 <= shown.right_choice < 3
