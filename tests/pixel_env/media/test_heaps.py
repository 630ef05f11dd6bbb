"""Threads share one heap, unless the user or the C library decides; clips leave no holes in it."""

import ctypes
import itertools

import pytest

from pixel_env.media import heaps


@pytest.fixture
def unset(monkeypatch):
    for name in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    heaps.share_one_heap.cache_clear()
    yield
    heaps.share_one_heap.cache_clear()


class Library:
    """A C library that notes what it is asked."""

    def __init__(self):
        self.asked = []
        self.n_trims = 0

    def malloc_trim(self, kept):
        self.n_trims += 1
        return 1

    def mallopt(self, parameter, value):
        self.asked.append((parameter, value))
        return 1


@pytest.mark.usefixtures("unset")
def test_glibc_is_asked_once(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert heaps.share_one_heap()
    assert heaps.share_one_heap()
    assert library.asked == [(-8, 1)]  # M_ARENA_MAX of glibc's malloc.h


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_what_the_user_has_set_stays(monkeypatch, name):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setenv(name, "1")
    assert not heaps.share_one_heap()
    assert library.asked == []


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(monkeypatch, fault):
    def missing(name):
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not heaps.share_one_heap()


@pytest.mark.usefixtures("unset")
def test_the_heap_is_chosen_before_the_threads_start(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    with heaps.decoding_threads(2) as threads:
        assert list(threads.map(len, ["a", "bb"])) == [1, 2]
    assert len(library.asked) == 1


def test_what_is_free_goes_back_once_in_many_clips(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(heaps, "_clips", itertools.count(1))
    for _ in range(2 * heaps.CLIPS_BETWEEN - 1):
        heaps.clip_opened()
    assert library.n_trims == 1
    heaps.clip_opened()
    assert library.n_trims == 2


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_clips_are_opened_with_another_c_library_too(monkeypatch, fault):
    def missing(name):
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(heaps, "_clips", itertools.count(heaps.CLIPS_BETWEEN))
    heaps.clip_opened()
    assert heaps.of_glibc("malloc_trim") is None
