"""How much paint there is, per class and slice, kept up to date block by block."""

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._keys import BLOCK, Shape, block_box

IDS = 256
DENSE = 8  # a plane with more than one voxel in eight painted is counted as a whole


class Tally:
    """Counts of painted voxels.

    Strategy: a write tells which planes of which 64^3 blocks it touched; these are
    counted anew and the difference goes to the totals. Nothing is counted before a
    write, so paint that slipped in through a view is found with the next dab beside it.

    Parameters
    ----------
    array : numpy.ndarray
        ``(Z, Y, X)`` uint8, the paint; watched, not copied.
    """

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self._array = array
        z, y, x = array.shape
        self._shape: Shape = (z, y, x)
        self._tables: dict[Shape, NDArray[np.int64]] = {}
        self._totals = np.zeros((z, IDS), np.int64)

    @property
    def blocks(self) -> list[Shape]:
        """Blocks with paint, in row-major order."""
        return sorted(self._tables.copy())

    def planes(self, block: Shape) -> list[int]:
        """Planes of the array where a block has paint."""
        table = self._tables.get(block)
        if table is None:
            return []
        start = block[0] * BLOCK
        return [start + int(i) for i in np.flatnonzero(table.any(axis=1))]

    def knows(self, block: Shape, plane: int) -> bool:
        """Whether paint is known in a plane of a block."""
        table = self._tables.get(block)
        return table is not None and bool(table[plane - block[0] * BLOCK].any())

    def has(self, block: Shape, class_id: int) -> bool:
        """Whether paint of a class is known in a block."""
        table = self._tables.get(block)
        if table is None or table.shape[1] <= class_id:
            return False
        return bool(table[:, class_id].any())

    def per_class(self) -> NDArray[np.int64]:
        """Painted voxels, ``(256,)``, by class id."""
        return np.asarray(self._totals.sum(axis=0))

    def per_slice(self) -> NDArray[np.int64]:
        """Painted voxels, ``(Z, 256)``, by slice and class id."""
        return self._totals

    def recount(
        self, block: Shape, first: int | None = None, last: int | None = None
    ) -> None:
        """Count the planes [first, last) of a block anew; all of them by default."""
        box = block_box(block, self._shape)
        low = box[0].start if first is None else first
        high = box[0].stop if last is None else last
        found = _count(self._array[low:high, box[1], box[2]])
        old = self._tables.get(block)
        if old is None:
            if found.shape[1] == 1:
                return
            old = np.zeros((BLOCK, 1), np.int64)
        width = max(old.shape[1], found.shape[1])
        table, found = _widened(old, width), _widened(found, width)
        planes = slice(low - box[0].start, high - box[0].start)
        self._totals[low:high, :width] += found - table[planes]
        table[planes] = found
        if table.any():
            self._tables[block] = table
        else:
            self._tables.pop(block, None)


def _count(part: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count ``(planes, ids up to the highest)``; not labelled voxels are left out."""
    planes = len(part)
    flat = part.reshape(planes, -1)
    painted = np.count_nonzero(flat)
    if not painted:
        return np.zeros((planes, 1), np.int64)
    if painted * DENSE > flat.size:
        counts = np.stack([np.bincount(row, minlength=IDS) for row in flat])
        counts[:, 0] = 0
        return counts[:, : int(np.flatnonzero(counts.any(axis=0))[-1]) + 1]
    places = np.flatnonzero(flat)
    values = flat.ravel()[places].astype(np.int64)
    width = int(values.max()) + 1
    rows = places // flat.shape[1]
    counts = np.bincount(rows * width + values, minlength=planes * width)
    return counts.reshape(planes, width)


def _widened(table: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    wide = np.zeros((len(table), width), np.int64)
    wide[:, : table.shape[1]] = table
    return wide
