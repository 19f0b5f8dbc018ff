"""Predict a region from its surroundings; when memory runs out, in smaller pieces."""

from collections.abc import Callable
from threading import Semaphore
from typing import Any

import numpy as np

from napari_sashiko.errors import DeviceError
from napari_sashiko.prediction.predictor import FloatArray, Predictor, Triple
from napari_sashiko.runners import is_out_of_memory, release_memory
from napari_sashiko.volumes import Region, Scratch, Volume, WindowReader, as_seen

Pair = tuple[FloatArray, FloatArray]


class Inference:
    """Run a predictor on regions of a volume, one region at a time.

    Reading and cutting may happen in several threads; the predictor itself is used by
    one at a time, so that memory holds the feature maps of one window only.

    Parameters
    ----------
    predictor : Predictor
        Patch in, mean and deviation out.
    volume : Volume
        Where voxels are read.
    border : (int, int, int)
        Context in voxels for pieces that are cut here.
    tick : callable
        Called often; raises when the work was stopped.
    most_voxels : int, optional
        Largest window that is tried.
    turns : Semaphore, optional
        Lets so many threads use the predictor at a time; one, unless it is given.
    """

    def __init__(
        self,
        predictor: Predictor,
        volume: Volume,
        border: Triple,
        tick: Callable[[], None] = lambda: None,
        most_voxels: int | None = None,
        *,
        turns: Semaphore | None = None,
    ) -> None:
        self.predictor = predictor
        self.volume = as_seen(volume, predictor.card.normalisation)
        self.border = border
        self.tick = tick
        self.most_voxels = most_voxels
        self._turns = turns or Semaphore()
        self._reader = WindowReader(self.volume)
        self._scratch = Scratch()

    def predict(
        self, region: Region, window: Region | None = None, bounds: Region | None = None
    ) -> Pair:
        """Mean and deviation of `region`, seen within `window`.

        Parameters
        ----------
        region : Region
            What is wanted.
        window : Region, optional
            What the networks see; None grows `region` by the border.
        bounds : Region, optional
            What may be read at most; None is all that belongs to it.

        Returns
        -------
        mean, std : (K, z, y, x) float32

        Raises
        ------
        DeviceError
            If memory does not suffice for the smallest window.
        """
        window = window or self.surroundings(region, bounds)
        voxels = count(window)
        if self.most_voxels is None or voxels <= self.most_voxels:
            pair = self._forward(region, window)
            if pair is not None:
                return pair
            self.most_voxels = voxels - 1
        halves = split_longest(region, self.predictor.align)
        if halves is None:
            raise DeviceError(
                f"Memory does not suffice for a window of {size(window)} voxels.",
                "Close other programs, or choose the device 'cpu'.",
            )
        return self._join(halves, bounds)

    def image(self, region: Region) -> FloatArray:
        """Voxels of `region` as the networks see them, (C, z, y, x)."""
        raw = self._reader.read(region)
        normalised: FloatArray = self.predictor.card.normalisation.apply(raw)
        return normalised

    def surroundings(self, region: Region, bounds: Region | None = None) -> Region:
        """`region` grown by the border, started where pooling allows, clipped."""
        most = self.volume.around(region)
        return tuple(  # type: ignore[return-value]
            slice(
                max(limit.start, all_.start + (part.start - all_.start - b) // a * a),
                min(limit.stop, part.stop + b),
            )
            for part, limit, all_, b, a in zip(
                region,
                bounds or most,
                most,  # pooling falls alike in all frames
                self.border,
                self.predictor.align,
                strict=True,
            )
        )

    def _forward(self, region: Region, window: Region) -> Pair | None:
        """None when memory ran out."""
        self.tick()
        raw = self._reader.read(window)
        room = self._scratch.array("patch", raw.shape, np.float32)
        patch = self.predictor.card.normalisation.apply(raw, out=room)
        if self._fills_gaps:
            patch[~self.predictor.card.normalisation.known(raw)] = np.nan
        core = tuple(
            (r.start - w.start, r.stop - w.start)
            for r, w in zip(region, window, strict=True)
        )
        try:
            with _held(self._turns, self.tick):
                pair = self.predictor.predict(patch, core=core, tick=self.tick)
            return self._with_measured(pair, raw, core)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        release_memory()  # after the except block: the error held on to the tensors
        return None

    @property
    def _fills_gaps(self) -> bool:
        restoring = self.predictor.card.restoring
        return restoring is not None and restoring.fills_gaps

    def _with_measured(self, pair: Pair, raw: Any, core: Any) -> Pair:
        """Put back what was measured, where only gaps are to be filled."""
        if not self._fills_gaps:
            return pair
        measured = raw[(slice(None), *(slice(*span) for span in core))]
        known = self.predictor.card.normalisation.known(measured)
        mean, std = pair
        return np.where(known, measured, mean).astype(np.float32), np.where(
            known, np.float32(0), std
        )

    def _join(self, halves: tuple[Region, Region, int], bounds: Region | None) -> Pair:
        low, high, axis = halves
        pairs = self.predict(low, bounds=bounds), self.predict(high, bounds=bounds)
        mean, std = (
            np.concatenate([pair[i] for pair in pairs], axis + 1) for i in (0, 1)
        )
        return mean, std


class _held:  # noqa: N801 - reads as a word in a with statement
    """Wait for a turn, and hear about a stop while waiting."""

    def __init__(self, turns: Semaphore, tick: Callable[[], None]) -> None:
        self._turns, self._tick = turns, tick

    def __enter__(self) -> None:
        while not self._turns.acquire(timeout=0.1):
            self._tick()

    def __exit__(self, *_: object) -> None:
        self._turns.release()


def count(region: Region) -> int:
    """Voxels in a region."""
    return int(np.prod([part.stop - part.start for part in region]))


def size(region: Region) -> str:
    """Size of a region in words, e.g. ``"64 x 64 x 64"``."""
    return " x ".join(str(part.stop - part.start) for part in region)


def split_longest(
    region: Region, align: Triple = (1, 1, 1)
) -> tuple[Region, Region, int] | None:
    """Cut a region across its longest axis; None if it is a single voxel."""
    lengths = [part.stop - part.start for part in region]
    axis = int(np.argmax(lengths))
    if lengths[axis] < 2:
        return None
    part, step = region[axis], align[axis]
    middle = (part.start + part.stop) // 2
    aligned = middle // step * step
    middle = aligned if aligned > part.start else middle
    low, high = list(region), list(region)
    low[axis], high[axis] = slice(part.start, middle), slice(middle, part.stop)
    return tuple(low), tuple(high), axis  # type: ignore[return-value]
