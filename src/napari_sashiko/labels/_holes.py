"""Where a sparse file holds data: paint is found without reading the holes."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._keys import BLOCK, Shape

MOST = 1 << 24  # voxels that are looked at at once


def holes_are_known() -> bool:
    """Whether this system tells where the holes of a file are."""
    return hasattr(os, "SEEK_DATA")


def painted_planes(path: Path, array: NDArray[np.uint8]) -> Iterator[tuple[Shape, int]]:
    """Find the planes of blocks with paint; one may come more than once.

    Parameters
    ----------
    path : Path
        The file.
    array : numpy.ndarray
        ``(Z, Y, X)``, the same file in memory.

    Yields
    ------
    tuple
        Number of the block per axis, plane of the array.
    """
    _, height, width = array.shape
    lines = array.reshape(-1, width)
    starts = np.arange(0, width, BLOCK)
    step = max(1, MOST // width)
    for low, high in data_ranges(path):
        last = -(-high // width)
        for first in range(low // width, last, step):
            part = lines[first : min(first + step, last)]
            line, x = np.nonzero(np.maximum.reduceat(part, starts, axis=1))
            z, y = np.divmod(line + first, height)
            found = np.unique(np.stack([z, y // BLOCK, x]), axis=1)
            for plane, row, column in found.T.tolist():
                yield (plane // BLOCK, row, column), plane


def data_ranges(path: Path) -> Iterator[tuple[int, int]]:
    """Byte ranges that may hold data; the whole file where holes are unknown."""
    size = path.stat().st_size
    if not holes_are_known():
        yield 0, size
        return
    with path.open("rb") as file:
        with contextlib.suppress(OSError):  # some systems know of holes only after it
            os.fsync(file.fileno())
        place = 0
        while place < size:
            try:
                low = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError:  # no data after this place
                return
            place = os.lseek(file.fileno(), low, os.SEEK_HOLE)
            yield low, place
