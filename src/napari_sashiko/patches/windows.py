"""A grid of overlapping windows, and the labelled ones among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import PlanError
from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.volumes import Region

Triple = tuple[int, int, int]


def window_starts(size: int, window: int, step: int) -> tuple[int, ...]:
    """Starts of the windows along one axis; the last one steps back to end at `size`.

    There are ``ceil((size - window) / step) + 1`` windows, or one that is shrunk to the
    axis (qlty, arXiv 2407.04920, section 2).

    Raises
    ------
    PlanError
        If a number is not positive, or ``step > window`` leaves gaps.
    """
    if size < 1 or window < 1 or step < 1:
        raise PlanError(
            f"An axis of {size} voxels cannot be cut into windows of {window} with "
            f"step {step}.",
            "All three must be at least 1.",
        )
    if step > window:
        raise PlanError(
            f"A step of {step} is longer than a window of {window}: voxels between "
            "windows would be left out.",
            "Take a step that is at most the window.",
        )
    if size <= window:
        return (0,)
    count = ceil((size - window) / step) + 1
    return tuple(min(i * step, size - window) for i in range(count))


@dataclass(frozen=True)
class Grid:
    """Windows of one size over a volume, in row-major order.

    Parameters
    ----------
    shape, window, step : tuple of int
        (z, y, x) in voxels. A window longer than an axis is shrunk to it.
    frame : int, optional
        Slices of a frame: no window lies in two.

    Raises
    ------
    PlanError
        As `window_starts`.
    """

    shape: Triple
    window: Triple
    step: Triple
    frame: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a grid."""
        for axis in range(3):
            window_starts(self.sides[axis], self.window[axis], self.step[axis])

    @property
    def sides(self) -> Triple:
        """What windows are cut from, (z, y, x): a frame, or the volume."""
        return self.frame or self.shape[0], *self.shape[1:]

    @property
    def size(self) -> Triple:
        """Size of a window after shrinking, (z, y, x)."""
        z, y, x = (min(w, n) for w, n in zip(self.window, self.sides, strict=True))
        return z, y, x

    @property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """Starts along each axis."""
        z, y, x = (
            window_starts(n, w, s)
            for n, w, s in zip(self.sides, self.window, self.step, strict=True)
        )
        frames = range(0, self.shape[0], self.sides[0])
        return tuple(first + low for first in frames for low in z), y, x

    def __len__(self) -> int:
        """Number of windows."""
        return int(np.prod([len(starts) for starts in self.starts]))

    def __iter__(self) -> Iterator[Region]:
        """Windows as regions, last axis fastest."""
        for start in product(*self.starts):
            z, y, x = (
                slice(low, low + size)
                for low, size in zip(start, self.size, strict=True)
            )
            yield z, y, x


def inner_spans(grid: Grid, axis: int, border: int) -> NDArray[np.int64]:
    """Per window along an axis: where its inside starts and stops, ``(n, 2)``.

    Voxels within `border` of a window's face are border, but for faces that lie on the
    volume's own boundary, or on that of a frame.
    """
    size, length = grid.size[axis], grid.sides[axis]
    spans = [
        (
            start if start % length == 0 else start + border,
            start + size if (start + size) % length == 0 else start + size - border,
        )
        for start in grid.starts[axis]
    ]
    return np.asarray(spans, np.int64)


def labelled_windows(
    labelled: LabelledVoxels, grid: Grid, border: Sequence[int] = (0, 0, 0)
) -> NDArray[np.int64]:
    """Find the windows that hold a labelled voxel outside their border.

    Strategy: per axis a voxel lies inside a run of neighbouring windows; the box of
    runs is entered at its corners into a difference array over windows, whose
    cumulative sum counts labelled voxels per window. Nothing of the volume is touched.

    Returns
    -------
    numpy.ndarray
        Indices into the grid, ascending; empty when there are none.
    """
    counts = np.zeros([len(starts) + 1 for starts in grid.starts], np.int64)
    low, high = [], []
    for axis in range(3):
        spans = inner_spans(grid, axis, border[axis])
        places = labelled.coords[:, axis]
        low.append(np.searchsorted(spans[:, 1], places, side="right"))
        high.append(np.searchsorted(spans[:, 0], places, side="right"))
    kept = np.all([b > a for a, b in zip(low, high, strict=True)], axis=0)
    for corner in product((0, 1), repeat=3):
        index = tuple((high if c else low)[a][kept] for a, c in enumerate(corner))
        np.add.at(counts, index, (-1) ** sum(corner))
    for axis in range(3):
        np.cumsum(counts, axis=axis, out=counts)
    return np.flatnonzero(counts[:-1, :-1, :-1])
