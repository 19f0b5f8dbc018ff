"""Which peaks are objects: those with a valley around them that is deep enough.

Strategy: pieces that are one basin are joined first. Then a hill joins the next higher
one, over the highest pass between them, if the way down to the pass is short against
its own height: the persistence, or dynamics, of a peak (Grimaud: A new measure of
contrast: the dynamics, SPIE 1769, 1992), relative here, so that small and large objects
are cut alike. All hills whose best pass leads to a higher hill join at once, and the
rest is looked at again: the outcome is that of taking the passes from high to low.
"""

import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._basins import Passes, highest
from napari_sashiko.instances._heights import depth_of
from napari_sashiko.instances._ties import Nodes, united

Places = npt.NDArray[np.int64]
LEAST_DEPTH = 0.5  # voxels: what the grid alone makes of a straight rod


def hills(tops: Places, pairs: Nodes, passes: Passes, depth: float) -> Nodes:
    """Group pieces into objects.

    Parameters
    ----------
    tops : (N, 2) int64
        Height of the peak of each piece, 0 where it lies in another piece; and where
        it lies, which decides between peaks of one height.
    pairs : (P, 2) int32
        Pieces of one basin.
    passes : (E, 3) int64
        Pieces that touch, and the height of the pass between them.
    depth : float
        Least depth of a valley, as a share of the height of the lower peak.

    Returns
    -------
    (N,) int32
        Object of each piece, 0 to M - 1.
    """
    number, basins = united(len(tops), pairs)
    rank = _ranks(number, basins, tops)
    height = np.zeros(number, np.int64)
    np.maximum.at(height, basins, tops[:, 0])
    leader = np.arange(number)
    ends = basins[passes[:, :2]].astype(np.int64)
    top = depth_of(height)
    saddle = passes[:, 2]
    while True:
        apart = ends[:, 0] != ends[:, 1]
        lower = np.minimum(top[ends[:, 0]], top[ends[:, 1]])
        deep = np.maximum(depth * lower, LEAST_DEPTH)
        shallow = lower - depth_of(saddle) < deep
        ends, saddle = ends[apart & shallow], saddle[apart & shallow]
        if not len(ends):
            break
        onward = _uphill(rank, ends, saddle)
        leader = onward[leader]
        ends = onward[ends]
        kept = highest(ends[:, 0], ends[:, 1], saddle)
        ends, saddle = kept[:, :2], kept[:, 2]
    _, objects = np.unique(leader, return_inverse=True)
    return np.asarray(objects, np.int32)[basins]


def _ranks(number: int, basins: Nodes, tops: Places) -> npt.NDArray[np.int64]:
    """Order of the basins: by height, then by place; no two are equal."""
    there = np.flatnonzero(tops[:, 0])
    order = there[np.lexsort((tops[there, 1], tops[there, 0]))]
    rank = np.zeros(number, np.int64)
    rank[basins[order]] = np.arange(1, len(order) + 1)
    return rank


def _uphill(
    rank: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], saddle: Places
) -> npt.NDArray[np.int64]:
    """Hill that each one joins now, itself if none: its best pass leads higher."""
    start = np.concatenate([ends[:, 0], ends[:, 1]])
    stop = np.concatenate([ends[:, 1], ends[:, 0]])
    best = np.zeros(len(rank), np.int64)
    np.maximum.at(best, start, np.tile(saddle, 2) << 32 | rank[stop])
    by_rank = np.empty(len(rank) + 1, np.int64)
    by_rank[rank] = np.arange(len(rank))
    other = best & 0xFFFFFFFF
    onward = np.where(other > rank, by_rank[other], np.arange(len(rank)))
    while True:
        further = onward[onward]
        if np.array_equal(further, onward):
            return np.asarray(onward)
        onward = further
