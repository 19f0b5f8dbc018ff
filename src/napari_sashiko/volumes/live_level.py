"""Coarser levels of an image that is being written, for viewers that show it already.

Strategy: until a level is on disk, every so many voxels of the finest stand for it.
Layers then have all levels from the start, and show the true ones as soon as these
are there, without being made anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from napari_sashiko.volumes.pyramid import open_levels, planned_factors


class LiveLevel:
    """One coarser level, read from disk where it is there, else from the finest.

    Parameters
    ----------
    image : Path
        Folder of the image.
    level : int
        From 1 on.
    finest : zarr array
        Level 0.
    factors : sequence of int
        Voxels of the finest in one of this level, by axis.
    """

    def __init__(
        self, image: Path, level: int, finest: Any, factors: Sequence[int]
    ) -> None:
        self._image = image
        self._level = level
        self._finest = finest
        self._factors = tuple(factors)
        self._written: Any = None
        self.dtype = finest.dtype
        self.shape = tuple(
            -(-n // factor) for n, factor in zip(finest.shape, factors, strict=True)
        )

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read what numbers and slices without steps select, one for each axis."""
        if self._written is None:
            levels = open_levels(self._image)
            if self._level < len(levels):
                self._written = levels[self._level]
        if self._written is not None:
            return np.asarray(self._written[key])
        steps = zip(key, self._factors, self.shape, strict=True)
        return np.asarray(self._finest[tuple(_coarse(*step) for step in steps)])


def live_levels(image: Path) -> tuple[Any, ...]:
    """All levels that an image has or will have, the finest first.

    Parameters
    ----------
    image : Path
        Folder of an image made by `create_ome_image`, finished or not.
    """
    written = open_levels(image)
    group = zarr.open_group(str(image), mode="r")
    planned = enumerate(planned_factors(group))
    return tuple(
        written[level]
        if level < len(written)
        else LiveLevel(image, level, written[0], factors)
        for level, factors in planned
    )


def _coarse(part: Any, factor: int, size: int) -> Any:
    if not isinstance(part, slice):
        return int(part) * factor
    start, stop, _ = part.indices(size)
    return slice(start * factor, stop * factor, factor)
