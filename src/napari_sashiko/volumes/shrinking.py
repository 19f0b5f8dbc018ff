"""An image made smaller along y and x: each of its voxels is the mean of an area.

Strategy: what is asked for is read in strips of a few megabytes, and averaged at once,
so that a small block of the shrunk image never holds a large one of the image. Voxels
that nobody measured take no part in a mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes.region import Region
from napari_sashiko.volumes.volume import Volume

AT_ONCE = 1 << 22  # voxels of the image that are averaged at once


class ShrunkVolume(Volume):
    """A volume whose voxels are means over squares of another one's.

    What is left at the far edges, less than a square, belongs to none.

    Parameters
    ----------
    volume : Volume
        The image.
    factor : int
        Voxels along y and x that become one.

    Raises
    ------
    VolumeError
        If nothing would be left of a slice.
    """

    def __init__(self, volume: Volume, factor: int) -> None:
        slices, height, width = volume.shape
        smallest = min(min(volume.extent(z)) for z in range(slices))
        if smallest < factor:
            raise VolumeError(
                f"{volume.name!r} has only {smallest} voxels along one side: shrunk "
                f"{factor} times, nothing is left of it.",
                "Shrink it less.",
            )
        self.__dict__.update(volume.__dict__)
        self.levelled = volume.levelled
        self.dtype = np.result_type(volume.dtype, np.float32)
        self.shape = (slices, height // factor, width // factor)
        z, y, x = volume.voxel_size
        self.voxel_size = (z, y * factor, x * factor)
        self.source = None
        self._volume, self._factor = volume, factor

    @property
    def chunk(self) -> None:
        """None: it is not stored."""
        return

    def read(self, region: Region, channels: slice | None = None) -> NDArray[Any]:
        """Read a region as ``(C, z, y, x)``; NaN where nothing was measured.

        Raises
        ------
        VolumeError
            If the file is damaged there, or gone.
        """
        n, (deep, down, across) = self._factor, region
        wide = slice(across.start * n, across.stop * n)
        rows = max(1, AT_ONCE // max(1, n * (wide.stop - wide.start)))
        shape = [side.stop - side.start for side in region]
        count = len(range(self.channels)[channels or slice(None)])
        block = np.empty((count, *shape), self.dtype)
        for place, z in enumerate(range(deep.start, deep.stop)):
            for first in range(down.start, down.stop, rows):
                last = min(first + rows, down.stop)
                strip = slice(z, z + 1), slice(first * n, last * n), wide
                means = _means(self._volume.read(strip, channels), n)
                block[:, place, first - down.start : last - down.start] = means[:, 0]
        return block

    def extent(self, z: int) -> tuple[int, int]:
        """Height and width of a slice: less than `shape` for a smaller picture."""
        height, width = self._volume.extent(z)
        return height // self._factor, width // self._factor

    def digest(self) -> str:
        """Hash of the image as it is."""
        return self._volume.digest()

    def content_digest(self) -> str:
        """Hash of the image as it is, whatever the voxel size is said to be."""
        return self._volume.content_digest()


def shrunk(volume: Volume, factor: int) -> Volume:
    """Make an image smaller along y and x; by a factor of 1 it stays as it is.

    Raises
    ------
    VolumeError
        If nothing would be left of a slice.
    """
    return volume if factor == 1 else ShrunkVolume(volume, factor)


def _means(fine: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Mean over squares of `n` x `n` voxels of ``(C, 1, Y, X)``, where measured."""
    channels, depth, height, width = fine.shape
    squares = fine.reshape(channels, depth, height // n, n, width // n, n)
    if fine.dtype.kind != "f":
        whole: NDArray[np.float64] = squares.mean((3, 5), dtype=np.float64)
        return whole
    known = np.isfinite(squares)
    total = np.where(known, squares, 0).sum((3, 5), dtype=np.float64)
    count = known.sum((3, 5))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
