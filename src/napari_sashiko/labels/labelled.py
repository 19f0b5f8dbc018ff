"""The labelled voxels of a sparse label array."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import LabelError

BLOCK = 128  # edge of what is read at once where the array has no chunks


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
    """

    coords: NDArray[np.int32]
    values: NDArray[np.uint8]
    shape: tuple[int, int, int]

    def __len__(self) -> int:
        """Number of labelled voxels."""
        return len(self.values)


def labelled_voxels(array: Any, *, block: int = BLOCK) -> LabelledVoxels:
    """Find the labelled voxels of ``(Z, Y, X)`` or ``(Y, X)`` block by block.

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
    coords, values = [], []
    for corner in product(*(range(0, n, block) for n in shape)):
        part = np.asarray(array[tuple(slice(c, c + block) for c in corner)])
        places = np.argwhere(part)
        if len(places):
            found = part[tuple(places.T)]
            _check(found)
            coords.append(places + corner)
            values.append(found.astype(np.uint8))
    where = np.concatenate(coords) if coords else np.zeros((0, len(shape)), np.int64)
    what = np.concatenate(values) if values else np.zeros(0, np.uint8)
    if len(shape) == 2:
        where = np.column_stack([np.zeros(len(where), where.dtype), where])
        shape = (1, *shape)
    order = np.lexsort(where.T[::-1])
    return LabelledVoxels(
        where[order].astype(np.int32), what[order], (shape[0], shape[1], shape[2])
    )


def _check(found: NDArray[Any]) -> None:
    low, high = int(found.min()), int(found.max())
    if low < 0 or high > 255:
        wrong = low if low < 0 else high
        raise LabelError(
            f"There is a label {wrong}.",
            "Class numbers go from 1 to 255; 0 is no label.",
        )
