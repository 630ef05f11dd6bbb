"""One sample object for every environment of a process that shows it, so that pixels are shared."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable

from .task import Task
from .types import Sample


class SampleCache:
    """The samples of a task that were last shown, by index.

    Lanes that are reset to one index get the same `Sample`, and with it the same media sources:
    a picture is decoded, or rendered, once for all of them.

    Attributes:
        task: the task that the samples come from.
    """

    def __init__(self, task: Task, n_kept: int = 8) -> None:
        self.task = task
        self._n_kept = n_kept
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Callable[[Task], SampleCache], tuple[Task]]:
        """Leaves lock and samples behind: a process that gets the task reads them itself."""
        return sample_cache, (self.task,)

    def __getitem__(self, index: int) -> Sample:
        """Returns sample `index`, from 0.

        Raises:
            IndexError: there is no such sample.
            DataError: the row can't be used.
        """
        with self._lock:
            if index not in self._samples:
                self._samples[index] = self.task[index]
            self._samples.move_to_end(index)
            while len(self._samples) > self._n_kept:
                self._samples.popitem(last=False)
            return self._samples[index]


_CACHES: weakref.WeakValueDictionary[int, SampleCache] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def sample_cache(task: Task) -> SampleCache:
    """Returns the one cache of a task object; it lives as long as an environment holds it."""
    with _LOCK:
        cache = _CACHES.get(id(task))  # a cache holds its task, so a live id is never reused
        if cache is None:
            cache = _CACHES[id(task)] = SampleCache(task)
        return cache
