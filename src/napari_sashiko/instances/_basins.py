"""A block cut along the valleys of its relief: each voxel goes where it is steepest.

Strategy: every voxel points to its steepest neighbour uphill. Following the pointers
leads to a peak, or far out of the block: the blocks there know how it goes on. A
pointer depends on the neighbours alone, so blocks do not show. Ground of equal height
is ordered by place.
This is the watershed by the drop of water principle (Cousty, Bertrand, Najman, Couprie:
Watershed cuts, IEEE TPAMI 31, 2009), as used for large volumes by Zlateski and Seung
(Image segmentation by size-dependent single linkage clustering of a watershed basin
graph, arXiv 1505.00249, 2015).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._heights import Heights
from napari_sashiko.instances._source import Region, Triple
from napari_sashiko.instances._ties import REACH
from napari_sashiko.instances.settings import Connectivity
from napari_sashiko.volumes import shift

Labels = npt.NDArray[np.uint32]
Passes = npt.NDArray[np.int64]  # (P, 3): two labels, and the highest way between them
SIGNS = (-1, 0, 1)
STEPS: list[Triple] = list(product(SIGNS, SIGNS, SIGNS))  # in the order of voxels
STAY = STEPS.index((0, 0, 0))
INNER = (slice(1, -1),) * 3


@dataclass(frozen=True)
class Basins:
    """A block in pieces.

    Parameters
    ----------
    labels : (z, y, x) uint32
        Pieces 1 to n; 0 is no object.
    steps : (z, y, x) uint8
        Index in ``STEPS`` of the way uphill.
    peaks : (n,) uint32
        Height of the peak; 0 where it lies outside the block.
    places : (n, 3) int64
        The peak, in voxels from the first one of the block.
    """

    labels: Labels
    steps: npt.NDArray[np.uint8]
    peaks: Heights
    places: npt.NDArray[np.int64]


def touching_steps(connectivity: Connectivity) -> list[int]:
    """Indices in ``STEPS`` of the neighbours that touch."""
    reach = REACH[connectivity]
    return [i for i, step in enumerate(STEPS) if 0 < sum(map(abs, step)) <= reach]


def basins_of(
    heights: Heights,
    inner: Region,
    sides: tuple[float, float, float],
    connectivity: Connectivity,
) -> Basins:
    """Cut a block into the basins of its peaks.

    Parameters
    ----------
    heights : (Z + 2, Y + 2, X + 2) uint32
        The block and its surroundings, with one voxel more on every side; 0 is no
        object. The wider the surroundings, the fewer pieces.
    inner : Region
        The block, from the first voxel that is not one more.
    sides : (float, float, float)
        Voxel size, for how steep a way is.
    connectivity : {6, 18, 26}
        What touches.
    """
    around = np.zeros(heights.shape, bool)
    around[INNER] = heights[INNER] > 0
    where = np.flatnonzero(around)
    upward = _steepest(heights, where, sides, connectivity)
    steps = np.full(heights.shape, STAY, np.uint8)
    steps.ravel()[where] = upward
    jumps = np.array([np.dot(step, _strides(heights)) for step in STEPS])
    onward = _followed(heights.size, where, where + jumps[upward])
    block = shift(inner, (1, 1, 1))
    solid = around[block]
    roots = onward.reshape(heights.shape)[block][solid]
    named = np.zeros(heights.size, np.uint32)
    named[roots] = 1
    tops = np.flatnonzero(named)
    named[tops] = np.arange(1, len(tops) + 1)
    labels = np.zeros(solid.shape, np.uint32)
    labels[solid] = named[roots]
    places = np.stack(np.unravel_index(tops, heights.shape), axis=1)
    places -= [part.start for part in block]
    inside = ((places >= 0) & (places < solid.shape)).all(axis=1)
    peaks = np.where(inside, heights.ravel()[tops], 0).astype(np.uint32)
    return Basins(labels, steps[block], peaks, places)


def passes_of(labels: Labels, heights: Heights, connectivity: Connectivity) -> Passes:
    """Pieces of a block that touch, and how high one stays on the way between them.

    Parameters
    ----------
    labels, heights : (z, y, x) uint32
        Pieces and their relief.
    connectivity : {6, 18, 26}
        What touches.
    """
    found = []
    for index in touching_steps(connectivity):
        if index < STAY:
            continue  # the same pairs, seen from the other side
        here = tuple(slice(max(0, -s), min(n, n - s)) for s, n in _zip(index, labels))
        there = tuple(slice(max(0, s), min(n, n + s)) for s, n in _zip(index, labels))
        first, second = labels[here], labels[there]
        where = (first != second) & (first > 0) & (second > 0)
        saddle = np.minimum(heights[here][where], heights[there][where])
        found.append(highest(first[where], second[where], saddle))
    return highest(*np.concatenate(found).T) if found else highest([], [], [])


def highest(
    first: npt.ArrayLike, second: npt.ArrayLike, saddle: npt.ArrayLike
) -> Passes:
    """Keep the highest way of each pair, (P, 3) int64; pairs are ordered."""
    a, b = np.asarray(first, np.int64), np.asarray(second, np.int64)
    height = np.asarray(saddle, np.int64)
    codes = np.minimum(a, b) << 32 | np.maximum(a, b)
    order = np.lexsort((height, codes))
    codes, height = codes[order], height[order]
    last = np.flatnonzero(np.diff(codes, append=-1))
    codes = codes[last]
    return np.stack([codes >> 32, codes & 0xFFFFFFFF, height[last]], axis=1)


def _steepest(
    heights: Heights,
    where: npt.NDArray[np.intp],
    sides: tuple[float, float, float],
    connectivity: Connectivity,
) -> npt.NDArray[np.uint8]:
    """Index in ``STEPS`` of the steepest way up; of equal ones, the last place."""
    relief = heights.ravel().astype(np.float32)  # exact: below 2^24
    own = relief[where]
    best = np.zeros(len(where), np.float32)
    upward = np.full(len(where), STAY, np.uint8)
    strides = _strides(heights)
    for index in touching_steps(connectivity):
        step = np.array(STEPS[index])
        slope = relief[where + int(np.dot(step, strides))]
        slope -= own
        slope /= np.float32(np.linalg.norm(step * sides))
        better = slope >= best
        if index < STAY:  # level ground leads on to later places only
            better &= slope > 0
        np.copyto(best, slope, where=better)
        upward[better] = index
    return upward


def _followed(
    size: int, where: npt.NDArray[np.intp], parents: npt.NDArray[np.intp]
) -> npt.NDArray[np.int32]:
    """Where each voxel ends up, (size,): every round doubles the way that is seen."""
    onward = np.arange(size, dtype=np.int32)
    roots = parents.astype(np.int32)
    while True:
        onward[where] = roots
        further = onward[roots]
        if np.array_equal(further, roots):
            return onward
        roots = further


def _strides(array: npt.NDArray[np.generic]) -> Triple:
    _, y, x = array.shape
    return y * x, x, 1


def _zip(index: int, labels: Labels) -> list[tuple[int, int]]:
    return list(zip(STEPS[index], labels.shape, strict=True))
