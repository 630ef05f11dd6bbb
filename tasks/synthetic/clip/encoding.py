"""Frames to a real video file: an mp4 in memory, made by the encoder of PyAV."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import chain

import numpy as np
from PIL import Image as PILImage

from pixel_env.errors import ConfigError

FPS = 12

_OPTIONS = {"preset": "ultrafast", "crf": "16", "g": "12"}
"""Of the encoder: quick, near to lossless, a keyframe every second."""


def encoded(frames: Iterable[PILImage.Image], fps: int = FPS) -> bytes:
    """Encodes frames as an mp4 (H.264); the same frames give the same bytes.

    Args:
        frames: at least one, RGB, all of one size with even sides.
        fps: frames a second.

    Raises:
        ConfigError: PyAV is not installed, or can't encode.

    >>> file = encoded([PILImage.new("RGB", (64, 64), grey) for grey in ("black", "white")])
    >>> file[4:8], file == encoded([PILImage.new("RGB", (64, 64), g) for g in ("black", "white")])
    (b'ftyp', True)
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
            pixels = av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")
            container.mux(stream.encode(pixels))
        container.mux(stream.encode(None))
    return file.getvalue()
