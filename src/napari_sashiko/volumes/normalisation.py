"""Grey values to numbers around zero, with constants that live in the model."""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from annotated_types import Len
from numpy.typing import NDArray
from pydantic import FiniteFloat, PositiveFloat

from napari_sashiko.config import Settings
from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes.region import Region
from napari_sashiko.volumes.volume import Volume

FIRST = (24, 64)  # blocks that are sampled, and their edge in voxels
FURTHER = (400, 16)  # where the first show one value only
SHEETS = (96, 256)  # the same number of voxels, one slice each, where slices are files
SHORT_TYPES = ("?", "b", "B", "h", "H", "e", "f")  # whose values fit a float32
LARGEST = float(np.finfo(np.float32).max)  # what lies beyond is a broken voxel
TAILS = (0.5, 99.5)  # percentiles: what lies beyond are outliers


class Normalisation(Settings):
    """Per channel: clip to [low, high], subtract the center, divide by the scale.

    Parameters
    ----------
    low, high, center, scale : tuple of float
        One value per channel, in grey values.
    missing : float or None
        Grey value of voxels that nobody measured, beside those that are not finite.
    levelled : bool
        Whether grey values are those of a `LevelledVolume`.
    """

    low: Annotated[tuple[FiniteFloat, ...], Len(1)]
    high: tuple[FiniteFloat, ...]
    center: tuple[FiniteFloat, ...]
    scale: tuple[PositiveFloat, ...]
    missing: FiniteFloat | None = None
    levelled: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether no channel has any contrast."""
        return self.low == self.high

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave out what is not set: digests of older models are made of this."""
        for name, value in super().__repr_args__():
            if name not in ("missing", "levelled") or value not in (None, False):
                yield name, value

    def known(self, raw: NDArray[Any]) -> NDArray[np.bool_]:
        """Which voxels were measured: an array of the shape of `raw`."""
        known: NDArray[np.bool_] = np.isfinite(raw)
        return known if self.missing is None else known & (raw != self.missing)

    def apply(
        self, raw: NDArray[Any], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Normalise ``(C, Z, Y, X)``; what nobody measured becomes 0.

        Parameters
        ----------
        raw : numpy.ndarray
            Grey values; left as they are.
        out : numpy.ndarray, optional
            Float32 of the same shape, where the result goes.

        Raises
        ------
        VolumeError
            If the number of channels is another one.
        """
        if len(raw) != len(self.center):
            raise VolumeError(
                f"The image has {len(raw)} channels, the model was trained on "
                f"{len(self.center)}."
            )
        # Small contrast on large numbers would drown in the digits of float32.
        exact = raw.dtype not in SHORT_TYPES
        if out is None:
            out = np.empty(raw.shape, np.float32)
        work: NDArray[Any] = np.empty(raw.shape, np.float64) if exact else out
        work[...] = raw
        column = (slice(None), *(None,) * (raw.ndim - 1))
        low, high, center, scale = (
            np.asarray(values, work.dtype)[column]
            for values in (self.low, self.high, self.center, self.scale)
        )
        may_lack = raw.dtype.kind == "f" or self.missing is not None
        known = self.known(raw) if may_lack else np.True_
        np.clip(work, low, high, out=work)
        work -= center
        work /= scale
        if not known.all():
            work[~known] = 0.0
        if work is not out:
            out[...] = work
        return out

    def undo(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn normalised ``(C, Z, Y, X)`` into grey values, in place."""
        column = (slice(None), *(None,) * (values.ndim - 1))
        values *= np.asarray(self.scale, np.float32)[column]
        values += np.asarray(self.center, np.float32)[column]
        return values


def measure_normalisation(
    volume: Volume, seed: int = 0, *, clip: bool = True, missing: float | None = None
) -> Normalisation:
    """Measure the constants on a bounded sample of blocks.

    Voxels that nobody measured are left out. A constant channel has scale 1. Where the
    sample shows one value only, a wider one is taken: the object may be small.

    Parameters
    ----------
    volume : Volume
        The image.
    seed : int
        Decides which blocks are read.
    clip : bool
        Whether outliers are cut off; where grey values are to be found again, not.
    missing : float, optional
        Grey value of voxels that nobody measured, beside those that are not finite.

    Raises
    ------
    VolumeError
        If the sample holds no finite voxel.
    """
    rng = np.random.default_rng(seed)
    first = SHEETS if volume.separate else FIRST
    values = _values(volume, _sample(volume, rng, *first))
    if not _has_contrast(values):
        values = _values(volume, _sample(volume, rng, *FURTHER))
    return constants(
        values, volume.name, clip=clip, missing=missing, levelled=volume.levelled
    )


def constants(
    values: NDArray[Any],
    name: str,
    *,
    clip: bool = True,
    missing: float | None = None,
    levelled: bool = False,
) -> Normalisation:
    """Constants of a sample of grey values, ``(C, N)``.

    Raises
    ------
    VolumeError
        If a channel holds no finite value.
    """
    low, high, center, scale = [], [], [], []
    for number, channel in enumerate(values):
        measured = np.isfinite(channel)
        if missing is not None:
            measured &= channel != missing
        known = channel[measured].astype(np.float64)
        known = known[np.abs(known) <= LARGEST]
        if not known.size:
            raise VolumeError(
                f"Channel {number} of {name!r} has no finite voxel.",
                f"Grey values lie between -{LARGEST:.1g} and {LARGEST:.1g}.",
            )
        bottom, top = np.percentile(known, TAILS)
        if bottom == top:  # mostly one value: the tails are all there is
            bottom, top = known.min(), known.max()
        clipped = known.clip(bottom, top)
        low.append(float(bottom) if clip else -LARGEST)
        high.append(float(top) if clip else LARGEST)
        center.append(float(clipped.mean()))
        spread = float(clipped.std())
        scale.append(spread if spread > 0 else 1.0)
    return Normalisation(
        low=tuple(low),
        high=tuple(high),
        center=tuple(center),
        scale=tuple(scale),
        missing=missing,
        levelled=levelled,
    )


def _values(volume: Volume, regions: list[Region]) -> NDArray[Any]:
    blocks = (volume.read(region) for region in regions)
    return np.concatenate([b.reshape(len(b), -1) for b in blocks], axis=1)


def _has_contrast(values: NDArray[Any]) -> bool:
    known = np.isfinite(values)
    return all(
        len(channel) and channel.min() < channel.max()
        for channel in (row[k] for row, k in zip(values, known, strict=True))
    )


def _sample(
    volume: Volume, rng: np.random.Generator, count: int, edge: int
) -> list[Region]:
    edges = [min(edge, size) for size in volume.shape]
    if volume.separate:
        edges[0] = 1
    room = [size - edge + 1 for size, edge in zip(volume.shape, edges, strict=True)]
    starts = {tuple(int(v) for v in rng.integers(room)) for _ in range(count)}
    return [volume.fitted(start, edges) for start in sorted(starts)]
