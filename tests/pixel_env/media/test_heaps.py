"""Large blocks of memory are mapped by themselves, unless the user or the C library decides."""

import ctypes

import pytest

from pixel_env.media import heaps


@pytest.fixture
def unset(monkeypatch):
    for name in ("MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    heaps.map_large_blocks.cache_clear()
    yield
    heaps.map_large_blocks.cache_clear()


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
    assert heaps.map_large_blocks()
    assert heaps.map_large_blocks()
    assert library.asked == [(-3, 1_048_576)]  # M_MMAP_THRESHOLD of glibc's malloc.h


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("name", ["MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_user_has_set_stays(monkeypatch, name):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setenv(name, "1")
    assert not heaps.map_large_blocks()
    assert library.asked == []


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(monkeypatch, fault):
    def missing(name):
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not heaps.map_large_blocks()
