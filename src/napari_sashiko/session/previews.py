"""The slice in view, segmented: only the newest request counts."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.metrics import doubt, members_differ
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import Region, Volume

SECONDS_BETWEEN = 0.4

Segment = Callable[[Path, Volume, Region], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PreviewReady:
    """A segmented region.

    Attributes
    ----------
    region : tuple of slice
        Where it belongs, in voxels.
    classes : array of uint8, (z, y, x)
        Class ids 1..C.
    mean, std : array of float32, (C, z, y, x)
        Mean and standard deviation of the ensemble's probabilities.
    model : Path
        The model folder that it comes from.
    members : int
        How many members it had.
    """

    volume: Volume
    region: Region
    classes: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    model: Path
    members: int

    @property
    def doubt(self) -> np.ndarray:
        """How unsure each voxel is, (z, y, x) float32."""
        return doubt(self.mean, self.std)

    @property
    def members_differ(self) -> bool:
        """Whether `doubt` is the deviation over members, which do differ."""
        return members_differ(self.std)


@dataclass(frozen=True)
class _Request:
    generation: int
    model: Path
    members: int
    volume: Volume
    region: Region


class PreviewDesk:
    """Keep the newest request, hand out work for it, and drop stale results.

    Parameters
    ----------
    segment : callable
        ``(model, volume, region) -> (mean, std, classes)``.
    """

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._generation = 0
        self._place: tuple[Volume, Region] | None = None
        self._pending: _Request | None = None
        self._done: tuple[int, PreviewReady] | None = None
        self._started_at = 0.0

    @property
    def generation(self) -> int:
        """Number of the newest request."""
        return self._generation

    def ask(self, model: Path, members: int, volume: Volume, region: Region) -> int:
        """Ask for a region; requests for other regions become stale.

        A newer model for the same region keeps the generation: a slow preview is
        shown before its successor starts, else fast epochs would starve it.

        Returns
        -------
        int
            The generation that a result must have to be shown.
        """
        if self._place != (volume, region):
            self._place = (volume, region)
            self._generation += 1
        self._pending = _Request(self._generation, model, members, volume, region)
        return self._generation

    def forget(self) -> None:
        """Make everything that was asked for stale."""
        self._generation += 1
        self._place = None
        self._pending = None
        self._done = None

    def next_work(self) -> Callable[[], Iterator[Event]] | None:
        """Work for the newest request, not more often than every 0.4 s."""
        request = self._pending
        now = time.monotonic()
        if request is None or now - self._started_at < SECONDS_BETWEEN:
            return None
        self._pending = None
        self._started_at = now
        return lambda: self._work(request)

    def take(self) -> PreviewReady | None:
        """Take out the finished result, unless something newer was asked for."""
        done, self._done = self._done, None
        if done is None or done[0] != self._generation:
            return None
        return done[1]

    def _work(self, request: _Request) -> Iterator[Event]:
        yield Tick()
        arrays: Any = self._segment(request.model, request.volume, request.region)
        mean, std, classes = arrays
        self._done = (
            request.generation,
            PreviewReady(
                request.volume,
                request.region,
                classes,
                mean,
                std,
                request.model,
                request.members,
            ),
        )
