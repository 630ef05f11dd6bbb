"""Threads share one heap, unless the user or the C library decides."""

import ctypes

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
