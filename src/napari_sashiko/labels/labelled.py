"""The labelled voxels of a sparse label array."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import LabelError
from napari_sashiko.labels.thinning import (
    MOST_LABELLED,
    kept_places,
    volume_shares,
)

IDS = 256  # of classes, with 0
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
    total : int
        Voxels that are labelled, where these are drawn from more; else 0.
    """

    coords: NDArray[np.int32]
    values: NDArray[np.uint8]
    shape: tuple[int, int, int]
    reserved: NDArray[np.bool_] | None = None
    total: int = 0

    def __len__(self) -> int:
        """Number of labelled voxels."""
        return len(self.values)

    @property
    def remark(self) -> str:
        """What is left out, in words; empty where nothing is."""
        if self.total <= len(self):
            return ""
        return (
            f"Of {self.total:,} labelled voxels {len(self):,} are learned from, in "
            "pieces drawn all over the volume: more would take too much memory."
        )


class Gathering:
    """Labelled voxels that are found part by part, thinned where they are too many.

    Parameters
    ----------
    counts : numpy.ndarray
        Labelled voxels by class id, from 0 on.
    most : int
        How many may be kept.
    """

    def __init__(self, counts: NDArray[np.int64], most: int) -> None:
        self._total = int(counts[1:].sum())
        self._shares = volume_shares(counts, most) if self._total > most else None
        self._coords = [np.zeros((0, 3), np.int32)]
        self._values = [np.zeros(0, np.uint8)]

    def add(self, coords: NDArray[np.integer[Any]], ids: NDArray[np.uint8]) -> None:
        """Take ``(N, 3)`` voxels (z, y, x) and their ``(N,)`` class ids."""
        if self._shares is not None:
            kept = kept_places(coords, ids, self._shares)
            coords, ids = coords[kept], ids[kept]
        self._coords.append(coords.astype(np.int32))
        self._values.append(ids)

    def labelled(self, shape: tuple[int, int, int]) -> LabelledVoxels:
        """All that was kept, in row-major order."""
        where, what = np.concatenate(self._coords), np.concatenate(self._values)
        self._coords, self._values = [], []
        order = np.lexsort(where.T[::-1])
        total = 0 if self._shares is None else self._total
        return LabelledVoxels(where[order], what[order], shape, total=total)


def labelled_voxels(
    array: Any, *, most: int = MOST, keep: int = MOST_LABELLED
) -> LabelledVoxels:
    """Find the labelled voxels of ``(Z, Y, X)`` or ``(Y, X)`` part by part.

    Of more than `keep` cells are drawn (`kept_places`); then the array is read twice.

    Parameters
    ----------
    array : array-like
        Class ids, 0 is not labelled; read by whole chunks where it has some.
    most : int
        Voxels that are read at once, unless a chunk is larger.
    keep : int
        Voxels that are kept, but for rare classes.

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
    counts = np.zeros(IDS, np.int64)
    found = Gathering(counts, keep)
    for coords, values in _found(array, shape, most):
        counts += np.bincount(values, minlength=IDS)
        if counts.sum() <= keep:
            found.add(coords, values)
    if counts.sum() > keep:
        found = Gathering(counts, keep)
        for coords, values in _found(array, shape, most):
            found.add(coords, values)
    flat = len(shape) == 2
    return found.labelled(
        (1, shape[0], shape[1]) if flat else (shape[0], shape[1], shape[2])
    )


def _found(
    array: Any, shape: tuple[int, ...], most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    """Places ``(N, 3)`` and class ids of the labelled voxels, part by part."""
    for key in _parts(shape, _edges(array, shape, most)):
        part = np.asarray(array[key])
        places = _nonzero(part)
        if len(places):
            values = part[tuple(places.T)]
            check_values(values)
            places = places + [side.start for side in key]
            missing = np.zeros((len(places), 3 - len(shape)), places.dtype)
            yield np.hstack([missing, places]), values.astype(np.uint8)


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
