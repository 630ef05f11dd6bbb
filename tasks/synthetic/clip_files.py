"""Clips as real video files: encoded when first opened, in a folder that the process removes.

Nothing is written before a clip is opened, and at most `MOST_FILES` are kept: a million samples
cost no disk. A process that was forked or started anew makes a folder of its own.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path

from PIL import Image as PILImage

from ...errors import ConfigError

FPS = 12
MOST_FILES = 256
"""Files kept in a process; the longest unused is removed first."""

_OPTIONS = {"preset": "ultrafast", "crf": "16", "g": "12"}
"""Of the encoder: quick, near to lossless, a keyframe every second."""


class ClipFile(os.PathLike[str]):
    """A path to a clip that is encoded when the path is first asked for; it can be pickled.

    >>> from functools import partial
    >>> from PIL import Image
    >>> clip = ClipFile("two grey frames", partial(list, [Image.new("RGB", (64, 64))] * 2))
    >>> os.path.exists(clip), os.fspath(clip).endswith(".mp4")
    (True, True)
    """

    def __init__(self, key: str, frames: Callable[[], Iterable[PILImage.Image]]) -> None:
        """Takes what the clip shows; draws and writes nothing.

        Args:
            key: everything that the frames depend on, as text; clips of one key are one file.
            frames: draws the frames, all of one even size; picklable.
        """
        self._name = hashlib.sha256(key.encode()).hexdigest()[:24] + ".mp4"
        self._frames = frames

    def __fspath__(self) -> str:
        """Returns the file's path; encodes it if it isn't there.

        Raises:
            ConfigError: PyAV is not installed, or can't encode.
        """
        return str(_FOLDER.path_of(self._name, lambda: encoded(self._frames())))


def encoded(frames: Iterable[PILImage.Image], fps: int = FPS) -> bytes:
    """Encodes frames as an mp4 (H.264); the same frames give the same bytes.

    Args:
        frames: at least one, RGB, all of one even size.
        fps: frames a second.

    Raises:
        ConfigError: PyAV is not installed, or can't encode.
    """
    try:
        import av
    except ImportError as fault:
        raise ConfigError(
            "expected PyAV for a synthetic clip, and it is not installed; "
            "install pixel-reason[video]"
        ) from fault
    if "libx264" not in av.codecs_available:
        raise ConfigError("expected a PyAV with the encoder libx264, as its wheels are")
    drawn = iter(frames)
    first = next(drawn)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=_OPTIONS)
        stream.width, stream.height = first.size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1  # the split of a frame over threads would change its bytes
        for frame in chain((first,), drawn):
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))
    return file.getvalue()


class ClipFolder:
    """The files of one process, in a temporary folder that it removes when it ends.

    Attributes:
        most: how many files are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._process = 0
        self._folder = Path()
        self._held: OrderedDict[str, None] = OrderedDict()

    def path_of(self, name: str, encode: Callable[[], bytes]) -> Path:
        """Returns the path of a file, which is made if it isn't there."""
        path = self._opened() / name
        if not path.exists():
            part = path.with_suffix(f".{threading.get_ident()}.part")
            part.write_bytes(encode())
            part.replace(path)
        with self._lock:
            self._held[name] = None
            self._held.move_to_end(name)
            while len(self._held) > self.most:
                oldest, _ = self._held.popitem(last=False)
                with suppress(OSError):  # a system that doesn't remove what a reader has open
                    (self._folder / oldest).unlink()
        return path

    def _opened(self) -> Path:
        """Returns the folder, a new one in a new process."""
        with self._lock:
            if self._process != os.getpid() or not self._folder.is_dir():
                self._folder = Path(tempfile.mkdtemp(prefix="pixel-reason-"))
                self._process = os.getpid()
                self._held.clear()
                atexit.register(_remove, self._folder, self._process)
            return self._folder

    def _renew_lock(self) -> None:
        """Makes a lock that no thread of a parent process holds."""
        self._lock = threading.Lock()


def _remove(folder: Path, process: int) -> None:
    """Removes the folder, in the process that made it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


_FOLDER = ClipFolder(MOST_FILES)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_FOLDER._renew_lock)
