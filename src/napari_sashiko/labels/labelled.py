"""The labelled voxels of a sparse label array."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import LabelError

MOST = 1 << 22  # voxels that are read at once


@dataclass(frozen=True)
class LabelledVoxels:
    """What training needs of the labels.

    Attributes
    ----------
    coords : numpy.ndarray
        ``(N, 3)`` int32, (z, y, x), in row-major order.
    values : numpy.ndarray
        ``(N,)`` uint8 class ids.
    shape : tuple of int
        (Z, Y, X) of the label array.
    reserved : numpy.ndarray, optional
        ``(N,)`` bool: voxels to judge by, which nobody learns from. None lets training
        choose what is held out.
    """

    coords: NDArray[np.int32]
    values: NDArray[np.uint8]
    shape: tuple[int, int, int]
    reserved: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Number of labelled voxels."""
        return len(self.values)


def labelled_voxels(array: Any, *, most: int = MOST) -> LabelledVoxels:
    """Find the labelled voxels of ``(Z, Y, X)`` or ``(Y, X)`` part by part.

    Parameters
    ----------
    array : array-like
        Class ids, 0 is not labelled; read by whole chunks where it has some.
    most : int
        Voxels that are read at once, unless a chunk is larger.

    Raises
    ------
    LabelError
        For other shapes, floats, negative labels and labels above 255.
    """
    shape = tuple(int(n) for n in array.shape)
    if len(shape) not in (2, 3):
        raise LabelError(f"Labels have shape {shape}.", "Two or three axes are needed.")
    if np.dtype(array.dtype).kind not in "biu":
        raise LabelError(
            f"Labels have dtype {array.dtype}.", "Class numbers must be integers."
        )
    coords = [np.zeros((0, len(shape)), np.int32)]
    values = [np.zeros(0, np.uint8)]
    for key in _parts(shape, _edges(array, shape, most)):
        part = np.asarray(array[key])
        places = _nonzero(part)
        if len(places):
            found = part[tuple(places.T)]
            check_values(found)
            starts = [side.start for side in key]
            coords.append((places + starts).astype(np.int32))
            values.append(found.astype(np.uint8))
    where, what = np.concatenate(coords), np.concatenate(values)
    if len(shape) == 2:
        where = np.column_stack([np.zeros(len(where), np.int32), where])
        shape = (1, *shape)
    order = np.lexsort(where.T[::-1])
    return LabelledVoxels(where[order], what[order], (shape[0], shape[1], shape[2]))


def _nonzero(part: NDArray[Any]) -> NDArray[np.int64]:
    """Places that are not 0, as `numpy.argwhere`; fast where there are few."""
    flat = np.ascontiguousarray(part).reshape(-1)
    width = 8 // flat.itemsize
    whole = len(flat) // width * width
    words = np.flatnonzero(flat[:whole].view(np.uint64))  # eight bytes at a time
    near = (words[:, np.newaxis] * width + np.arange(width)).ravel()
    near = np.concatenate([near, np.arange(whole, len(flat))])
    found = np.unravel_index(near[flat[near] != 0], part.shape)
    return np.stack(found, axis=1)


def check_values(found: NDArray[Any]) -> None:
    """Refuse numbers that are no class ids.

    Raises
    ------
    LabelError
        Naming the first one that is negative or above 255.
    """
    low, high = int(found.min(initial=0)), int(found.max(initial=0))
    if low < 0 or high > 255:
        raise LabelError(
            f"There is a label {low if low < 0 else high}.",
            "Class numbers go from 1 to 255; 0 is not labelled.",
        )


def _edges(array: Any, shape: Sequence[int], most: int) -> list[int]:
    """Return edges of a part: as many whole chunks as `most` allows."""
    chunks = getattr(array, "chunks", None) or (1,) * len(shape)
    edges = [max(c) if isinstance(c, tuple) else int(c) for c in chunks]
    for axis in reversed(range(len(shape))):
        others = int(np.prod(edges)) // edges[axis]
        fitting = max(most // (others * edges[axis]), 1) * edges[axis]
        edges[axis] = min(fitting, shape[axis])
    return edges


def _parts(shape: Sequence[int], edges: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    steps = [range(0, n, max(e, 1)) for n, e in zip(shape, edges, strict=True)]
    for starts in product(*steps):
        yield tuple(
            slice(s, min(s + e, n))
            for s, e, n in zip(starts, edges, shape, strict=True)
        )
