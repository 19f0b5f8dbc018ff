"""Voxels that may become paint: a list that is read like an array."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._keys import BLOCK, Shape

PIECE = 1 << 15  # voxels that are handed over at once
MOST_SHOWN = 1 << 28  # voxels of a dense array that is made for whoever reads

Places = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class Suggestion:
    """Class ids of some voxels of a volume; use `of`.

    Strategy: voxels are sorted by block of 64^3 and by plane in it, so that a slice
    along any axis is made of the few parts that it meets, and nothing as large as the
    volume exists.

    Attributes
    ----------
    coords : numpy.ndarray
        ``(N, 3)`` int32 (z, y, x).
    values : numpy.ndarray
        ``(N,)`` uint8 class ids.
    shape : tuple of int
        (Z, Y, X) of the volume.
    axis : int
        Axis along which voxels were filled in.
    class_ids : tuple of int
        Classes that were asked for, also those of which nothing was found.
    slices : int
        On how many slices along the axis there are voxels.
    blocks : numpy.ndarray
        ``(M,)`` numbers of the blocks that the parts lie in; they increase.
    corners : numpy.ndarray
        ``(M, 2, 3)``: first voxel of the box of each part, and the voxel after it.
    starts : numpy.ndarray
        ``(M + 1,)``: voxels ``starts[i]`` to ``starts[i + 1]`` are part i.
    """

    coords: NDArray[np.int32]
    values: NDArray[np.uint8]
    shape: Shape
    axis: int
    class_ids: tuple[int, ...]
    slices: int
    blocks: NDArray[np.int64]
    corners: NDArray[np.int64]
    starts: NDArray[np.int64]
    dtype = np.dtype(np.uint8)

    @classmethod
    def of(
        cls,
        coords: NDArray[np.int32],
        values: NDArray[np.uint8],
        shape: Shape,
        axis: int,
        class_ids: tuple[int, ...],
    ) -> "Suggestion":
        """Sort voxels, each of which comes once."""
        counts = [-(-n // BLOCK) for n in shape]
        block = np.ravel_multi_index(tuple((coords // BLOCK).T), counts)
        key = block * shape[axis] + coords[:, axis]
        order = np.argsort(key, kind="stable")
        begins = np.flatnonzero(np.diff(key[order], prepend=-1))
        blocks, planes = np.divmod(key[order[begins]], shape[axis])
        low = np.stack(np.unravel_index(blocks, counts), axis=1) * BLOCK
        high = low + BLOCK
        low[:, axis], high[:, axis] = planes, planes + 1
        return cls(
            coords[order],
            values[order],
            shape,
            axis,
            class_ids,
            len(np.unique(coords[:, axis])),
            blocks,
            np.stack([low, high], axis=1),
            np.append(begins, len(key)),
        )

    def __len__(self) -> int:
        """Number of voxels."""
        return len(self.values)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Class ids of a box, 0 where nothing is suggested.

        A box of more than 2^28 voxels, as a window in 3D may ask for, has nothing.
        """
        key = key if isinstance(key, tuple) else (key,)
        keys = (*key, *[slice(None)] * (3 - len(key)))
        ends = [_ends(k, n) for k, n in zip(keys, self.shape, strict=True)]
        low, high = np.array(ends).T
        flat = tuple(slice(None) if isinstance(k, slice) else 0 for k in keys)
        size = tuple((high - low).tolist())
        if np.prod(size, dtype=np.int64) > MOST_SHOWN:
            return np.broadcast_to(np.zeros((), np.uint8), size)[flat]
        dense = np.zeros(size, np.uint8)
        coords, values = self._within(low, high)
        dense[tuple((coords - low).T)] = values
        return dense[flat]

    def pieces(self) -> Iterator[tuple[Places, int]]:
        """Yield the voxels in small parts of one block and class: places, class id."""
        begins = np.flatnonzero(np.diff(self.blocks, prepend=-1))
        bounds = self.starts[np.append(begins, len(self.blocks))].tolist()
        for begin, end in pairwise(bounds):
            for class_id in np.unique(self.values[begin:end]).tolist():
                mine = np.flatnonzero(self.values[begin:end] == class_id) + begin
                for start in range(0, len(mine), PIECE):
                    z, y, x = self.coords[mine[start : start + PIECE]].T
                    yield (z, y, x), class_id

    def _within(
        self, low: NDArray[Any], high: NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        met = (self.corners[:, 0] < high) & (self.corners[:, 1] > low)
        parts = np.flatnonzero(met.all(axis=1))
        sizes = np.diff(self.starts)[parts]
        # Numbers of the voxels of all parts, one range after the other.
        firsts = self.starts[parts] - np.cumsum(sizes) + sizes
        voxels = np.repeat(firsts, sizes) + np.arange(sizes.sum())
        coords, values = self.coords[voxels], self.values[voxels]
        inside = ((coords >= low) & (coords < high)).all(axis=1)
        return coords[inside], values[inside]


def _ends(key: Any, size: int) -> tuple[int, int]:
    if not isinstance(key, slice):
        return int(key), int(key) + 1
    start, stop, _ = key.indices(size)
    return start, max(start, stop)
