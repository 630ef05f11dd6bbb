"""What has been shown in one episode, and what it was cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .config import EnvConfig, PixelRange
from .errors import DataError, OperationError
from .media.clips import ClipSource
from .media.geometry import FULL, fit
from .media.pictures import ImageSource
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

    def add(self, views: tuple[View, ...]) -> None:
        """Notes that views were shown."""
        self._views.extend(views)

    def view(self, number: int) -> View:
        """Returns a view by its number, from 1.

        Raises:
            OperationError: kind "bad_image", there is no such view.
        """
        last = len(self._views)
        if not 1 <= number <= last:
            allowed = f"from 1 to {last}" if last > 1 else "1"
            raise OperationError(
                "bad_image", f"target_image must be {allowed}, got {described(number)}."
            )
        return self._views[number - 1]

    def picture(self, number: int) -> ImageSource:
        """Returns a source picture, or a frame of the clip, by its number from 1.

        Raises:
            DataError: the clip can't be read.
        """
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

    def _whole(self, numbers: Sequence[int], px: PixelRange, origin: str) -> tuple[View, ...]:
        """Reads whole pictures, or frames of the clip together."""

        def view(number: int, source: ImageSource) -> View:
            size = fit(*source.size, *px, self.config.side_multiple)
            return View(source.overview(size), number, FULL, origin)

        first = self.sample.media[0]
        if isinstance(first, ClipSource):
            return first.each_frame(numbers, view)
        return tuple(view(number, self.picture(number)) for number in numbers)
