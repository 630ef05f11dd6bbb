"""Measures a group of rollouts on one photograph: the plain way, ours, and the least work.

A rollout opens the photograph, is shown its overview, and zooms twice, each time into a region of
its own. The plain way does that for each rollout by itself with Pillow, as published code does.
Ours is a `PixelReasoningVectorEnv`, whose lanes share what is decoded. The floor is what no way
leaves out: decode once, shrink one overview, cut and shrink every zoom. With the resampler
"bicubic" the pixels of all three are the same.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

import pixel_env
from pixel_env.config import EnvConfig
from pixel_env.media.geometry import Box, box_to_pixels, fit
from pixel_env.media.pictures import ImageSource
from pixel_env.media.rgb import Image
from pixel_env.resampling.filters import resized
from pixel_env.task import Task
from pixel_env.types import Grade, Sample
from pixel_env.vector import PixelReasoningVectorEnv

N_ZOOMS = 2
ZOOM_SIDE = 0.3
"""Side of a zoomed region, as a share of the photograph's."""

EXACT = "Pillow Lanczos"
SIZES = ((2250, 1500), (4000, 3000))
_BICUBIC = PillowImage.Resampling.BICUBIC
_N_OCTAVES = 9
_DEFAULTS = EnvConfig()


@dataclass(frozen=True, slots=True)
class FilterSpeed:
    """What one filter took for one picture, and how far it is from the exact one.

    Attributes:
        name: of the filter.
        milliseconds: of the processor.
        mean_levels: mean difference to Pillow's Lanczos over all pixels first, in grey levels.
        max_levels: the largest one.
    """

    name: str
    milliseconds: float
    mean_levels: float
    max_levels: int


@dataclass(frozen=True, slots=True)
class GroupSpeed:
    """What a group of rollouts on one photograph took, in processor seconds.

    Attributes:
        size: (width, height) of the photograph.
        group: how many rollouts.
        resampler: what ours shrinks by.
        plain_s: the plain way, always by bicubic.
        ours_s: ours.
        floor_s: the least, by the same resampler.
    """

    size: tuple[int, int]
    group: int
    resampler: str
    plain_s: float
    ours_s: float
    floor_s: float


class OnePhotograph(Task):
    """One file under every index, opened anew for each."""

    name = "photograph"

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, index: int) -> Sample:
        return Sample(f"photograph-{index}", "What is it?", (ImageSource(self.path),), ("sea",))

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades an answer by its text."""
        return Grade(float(answer in sample.answers), answer in sample.answers, answer)


def photograph(width: int, height: int, seed: int = 0) -> PillowImage.Image:
    """Draws what is like a photograph to a filter: noise of every scale, edges, and small print.

    Args:
        width: in pixels.
        height: in pixels.
        seed: of all of it.
    """
    rng = np.random.default_rng(seed)
    light = np.zeros((height, width, 3), np.float32)
    for octave in range(1, _N_OCTAVES):  # halving the scale takes a share of the strength
        cells = (max(height >> (_N_OCTAVES - octave), 2), max(width >> (_N_OCTAVES - octave), 2))
        for colour in range(3):
            drawn = PillowImage.fromarray(rng.standard_normal(cells).astype(np.float32))
            layer = np.asarray(drawn.resize((width, height), _BICUBIC))
            light[:, :, colour] += layer * 2 ** (-0.8 * octave)
    light -= light.min()
    picture = PillowImage.fromarray((light * (255 / light.max())).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for number in range(60):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        ink = tuple(int(value) for value in rng.integers(0, 256, 3))
        pen.text((x, y), f"No. {number}", fill=ink, font_size=max(height // 60, 8))
        pen.line((x, y, x + width // 8, y + height // 20), fill=ink, width=3)
    return picture


def zoomed_boxes(group: int) -> list[list[Box]]:
    """Returns the regions that each rollout zooms into, spread over the photograph."""
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 1 - ZOOM_SIDE, size=(group, N_ZOOMS, 2))
    return [[(x, y, x + ZOOM_SIDE, y + ZOOM_SIDE) for x, y in each.tolist()] for each in corners]


def plain_group(path: Path, boxes: Sequence[Sequence[Box]]) -> list[list[Image]]:
    """Shows each rollout its views, each by itself; returns them."""
    shown = []
    for zooms in boxes:
        with PillowImage.open(path) as opened:
            picture = opened.convert("RGB")
        cuts = [picture.crop(box_to_pixels(box, *picture.size)) for box in zooms]
        views = [each.resize(shown_size(each), _BICUBIC) for each in (picture, *cuts)]
        shown.append([np.array(each) for each in views])
    return shown


def least_group(path: Path, boxes: Sequence[Sequence[Box]], resampler: str) -> list[list[Image]]:
    """Does what no way can leave out; returns the same views."""
    with PillowImage.open(path) as opened:
        picture = opened.convert("RGB")

    def view(shown: PillowImage.Image) -> Image:
        return resized(shown, shown_size(shown), resampler)

    def zoom(box: Box) -> Image:
        return view(picture.crop(box_to_pixels(box, *picture.size)))

    overview = view(picture)
    return [[overview, *(zoom(box) for box in zooms)] for zooms in boxes]


def our_group(
    envs: PixelReasoningVectorEnv, index: int, boxes: Sequence[Sequence[Box]]
) -> list[list[Image]]:
    """Steps lanes over one sample; returns the views that they were shown."""
    observations, _ = envs.reset(options={"index": [index] * envs.num_envs})
    shown = [list(images) for images in observations["images"]]
    for turn in range(N_ZOOMS):
        observations, *_ = envs.step([pixel_env.zoom_in(zooms[turn]) for zooms in boxes])
        for views, images in zip(shown, observations["images"], strict=True):
            views.extend(images)
    return shown


def lanes_of(path: Path, group: int, resampler: str) -> PixelReasoningVectorEnv:
    """Makes lanes over one photograph."""
    task = OnePhotograph(path)
    return PixelReasoningVectorEnv(
        [lambda: pixel_env.PixelReasoningEnv(task, resampler=resampler)] * group,
        autoreset_mode="Disabled",
    )


def measured_group(path: Path, group: int, resampler: str, rounds: int) -> GroupSpeed:
    """Measures the three ways in turns; medians.

    Args:
        path: the photograph's file.
        group: how many rollouts.
        resampler: a name in `RESAMPLERS`.
        rounds: how often each way is run.
    """
    boxes, envs = zoomed_boxes(group), lanes_of(path, group, resampler)
    ways: list[Callable[[int], Any]] = [
        lambda _: plain_group(path, boxes),
        lambda number: our_group(envs, number, boxes),
        lambda _: least_group(path, boxes, resampler),
    ]
    seconds: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for taken, way in zip(seconds, ways, strict=True):
            taken.append(_processor_seconds(way, number))
    with PillowImage.open(path) as opened:
        size = opened.size
    plain_s, ours_s, floor_s = (statistics.median(taken) for taken in seconds)
    return GroupSpeed(size, group, resampler, plain_s, ours_s, floor_s)


def measured_filters(
    picture: PillowImage.Image, size: tuple[int, int], rounds: int
) -> list[FilterSpeed]:
    """Measures every filter at hand on one picture, in turns; medians.

    Args:
        picture: mode RGB.
        size: (width, height) to bring it to.
        rounds: how often each filter is run.
    """
    ways = filters(picture, size)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(_processor_seconds(way))
    exact = ways[EXACT]().astype(np.int16)
    found = []
    for name, way in ways.items():
        off = np.abs(way().astype(np.int16) - exact)
        milliseconds = 1000 * statistics.median(seconds[name])
        found.append(FilterSpeed(name, milliseconds, float(off.mean()), int(off.max())))
    return found


def filters(picture: PillowImage.Image, size: tuple[int, int]) -> dict[str, Callable[[], Image]]:
    """Returns ways to shrink a picture, by name; those of other libraries where they are there."""

    def of_pillow(by: PillowImage.Resampling, gap: float | None = None) -> Callable[[], Image]:
        return lambda: np.array(picture.resize(size, by, reducing_gap=gap))

    kinds = PillowImage.Resampling
    ways = {
        EXACT: of_pillow(kinds.LANCZOS),
        "Pillow Lanczos, reducing_gap 3": of_pillow(kinds.LANCZOS, 3.0),
        "Pillow Lanczos, reducing_gap 1.5": of_pillow(kinds.LANCZOS, 1.5),
        "Pillow bicubic": of_pillow(kinds.BICUBIC),
        "Pillow Hamming": of_pillow(kinds.HAMMING),
        "Pillow box": of_pillow(kinds.BOX),
    }
    if find_spec("pyvips"):
        ways["libvips Lanczos"] = lambda: resized(picture, size, "vips")
    if find_spec("cv2"):
        cv2: Any = importlib.import_module("cv2")
        pixels = np.ascontiguousarray(picture)
        ways["OpenCV area"] = lambda: cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return ways


def _processor_seconds(do: Callable[..., Any], *arguments: Any) -> float:
    """Returns the processor seconds that a call takes."""
    before = time.process_time()
    do(*arguments)
    return max(time.process_time() - before, 1e-9)


def shown_size(picture: PillowImage.Image) -> tuple[int, int]:
    """Returns the size that a picture is shown at; overviews and zooms have the same limits."""
    return fit(*picture.size, *_DEFAULTS.overview_px, _DEFAULTS.side_multiple)
