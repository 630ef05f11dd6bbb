"""What has been shown in one episode, and what it was cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .config import EnvConfig, PixelRange
from .errors import DataError, OperationError
from .media.clips import ClipSource
from .media.geometry import FULL, box_to_pixels, fit
from .media.pictures import ImageSource
from .media.rgb import Image
from .reading import described
from .types import Sample, View


class History:
    """The views of one episode, numbered from 1 in the order shown.

    Attributes:
        sample: the sample as it is shown.
        config: the settings of the environment.
        frame_numbers: the clip's frames (from 1) that were sampled; empty for pictures.
    """

    def __init__(self, sample: Sample, config: EnvConfig) -> None:
        """Reads the overviews.

        Args:
            sample: the sample as it is shown.
            config: the settings of the environment.

        Raises:
            DataError: the media can't be read, or are more than may be shown.
        """
        self.sample = sample
        self.config = config
        self.frame_numbers: tuple[int, ...] = ()
        self._made: list[ImageSource] = []
        first = sample.media[0]
        if isinstance(first, ClipSource):
            self.frame_numbers = first.sample_numbers(config.n_frames)
            numbers: tuple[int, ...] = self.frame_numbers
            px = config.clip_px or config.overview_px
        else:
            numbers = tuple(range(1, len(sample.media) + 1))
            px = config.overview_px
            if len(numbers) > config.max_views:
                raise DataError(
                    f"sample {sample.id} ({sample.origin}) has {len(numbers)} pictures, "
                    f"max_views is {config.max_views}"
                )
        self._views = list(self._whole(numbers, px, "overview"))

    @property
    def views(self) -> tuple[View, ...]:
        """Every view shown so far; entry 0 is view number 1."""
        return tuple(self._views)

    @property
    def n_frames(self) -> int:
        """How many frames can be selected; 0 where the media are pictures."""
        return len(self.frame_numbers)

    @property
    def n_free(self) -> int:
        """How many more views may be shown."""
        counted = len(self._views) - max(self.n_frames - 1, 0)
        return self.config.max_views - counted

    @property
    def n_sources(self) -> int:
        """How many source pictures there are, those that operations made included.

        Raises:
            DataError: the clip can't be read.
        """
        return self._n_given + len(self._made)

    def add(self, views: tuple[View, ...]) -> None:
        """Notes that views were shown; pictures that operations made become sources."""
        for view in views:
            if view.made is not None:
                self._made.append(view.made)
                view = replace(view, source=self.n_sources)  # several may come at once
            self._views.append(view)

    def pixels(self, number: int) -> Image:
        """Returns all pixels of what a view shows, as an operation reads them.

        Args:
            number: of the view, from 1.

        Returns:
            (height, width, 3) uint8 RGB: the source's own, or those that were shown where
            `zoom_source` is "view".

        Raises:
            OperationError: kind "bad_image", there is no such view.
            DataError: the source can't be read.
        """
        view = self.view(number)
        if self.config.zoom_source == "view":
            return view.image.copy()
        source = self.picture(view.source)
        left, top, right, bottom = box_to_pixels(view.box, *source.size)
        return source.region(view.box, (right - left, bottom - top))  # at its own resolution

    def made(self, pixels: Image, origin: str, parent: int) -> View:
        """Returns a view of a picture that an operation made, as large as a zoom's.

        The picture is a source of its own: a zoom on the view reads `pixels`.

        Args:
            pixels: (height, width, 3) uint8 RGB.
            origin: name of the operation.
            parent: number of the view that it was made from, from 1.
        """
        source = ImageSource(np.ascontiguousarray(pixels), name=f"<{origin} of {parent}>")
        size = fit(*source.size, *self.config.crop_px, self.config.side_multiple)
        image = source.overview(size, self.config.resampler)
        return View(image, self.n_sources + 1, FULL, origin, parent, source)

    def view(self, number: int, name: str = "target_image") -> View:
        """Returns a view by its number, from 1.

        Args:
            number: of the view.
            name: what a refusal calls the number.

        Raises:
            OperationError: kind "bad_image", there is no such view.
        """
        last = len(self._views)
        if not 1 <= number <= last:
            allowed = f"from 1 to {last}" if last > 1 else "1"
            raise OperationError("bad_image", f"{name} must be {allowed}, got {described(number)}.")
        return self._views[number - 1]

    def picture(self, number: int) -> ImageSource:
        """Returns a source picture, or a frame of the clip, by its number from 1.

        Raises:
            DataError: the clip can't be read.
        """
        if self._made and number > self._n_given:
            return self._made[number - self._n_given - 1]
        first = self.sample.media[0]
        if isinstance(first, ClipSource):
            return first.frame(number)
        source = self.sample.media[number - 1]
        if not isinstance(source, ImageSource):
            raise DataError(
                f"sample {self.sample.id} ({self.sample.origin}) must hold pictures or one clip, "
                f"got {type(source).__name__} among them"
            )
        return source

    def selected(self, positions: Sequence[int]) -> tuple[View, ...]:
        """Reads sampled frames anew from the file, at the pixel range of selected frames.

        Args:
            positions: which of the sampled frames, from 1; also the numbers of their first views.

        Raises:
            DataError: a frame can't be read.
        """
        numbers = [self.frame_numbers[position - 1] for position in positions]
        views = self._whole(numbers, self.config.frame_px, "select_frames")
        parents = zip(views, positions, strict=True)
        return tuple(replace(view, parent=position) for view, position in parents)

    def check_room(self, n_views: int) -> None:
        """Checks that more views may be shown.

        Raises:
            OperationError: kind "too_many_views".
        """
        if n_views > self.n_free:
            left = f"{self.n_free} more may be shown" if self.n_free else "no more can be shown"
            raise OperationError(
                "too_many_views",
                f"An episode shows at most {self.config.max_views} images and {left}; "
                + ("select fewer or answer." if self.n_free else "answer now."),
            )

    @property
    def _n_given(self) -> int:
        """How many pictures, or frames, the sample has."""
        first = self.sample.media[0]
        return first.n_frames if isinstance(first, ClipSource) else len(self.sample.media)

    def _whole(self, numbers: Sequence[int], px: PixelRange, origin: str) -> tuple[View, ...]:
        """Reads whole pictures, or frames of the clip together."""

        def view(number: int, source: ImageSource) -> View:
            size = fit(*source.size, *px, self.config.side_multiple)
            return View(source.overview(size, self.config.resampler), number, FULL, origin)

        first = self.sample.media[0]
        if isinstance(first, ClipSource):
            return first.each_frame(numbers, view)
        return tuple(view(number, self.picture(number)) for number in numbers)
