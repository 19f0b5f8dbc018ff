"""Which labelled voxels lie close to others."""

from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, maximum_filter
from scipy.spatial import cKDTree

DENSE = 0.1  # share of the box around the paint from which on maps beat trees
SLAB = 1 << 23  # voxels of a map


def near_held(
    coords: NDArray[np.int32],
    held: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    guard: float,
) -> NDArray[np.bool_]:
    """Find the voxels closer than `guard` to a held-out one, those included.

    Strategy: strokes are few voxels in a large box: a tree finds their neighbours.
    Labels that fill their box are many: there a map of distances, slab by slab, is
    faster and its memory is bounded.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)``, in row-major order.
    held : numpy.ndarray
        ``(N,)`` bool.
    spacing : tuple of float
        Voxel size (z, y, x).
    guard : float
        In the unit of `spacing`.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool.
    """
    low, box = _box(coords)
    if _is_dense(coords, box):
        return _by_maps(coords - low, held, box, spacing, guard)
    scale = np.asarray(spacing)
    tree = cKDTree(coords[held] * scale)
    distance, _ = tree.query(coords * scale, distance_upper_bound=guard)
    return np.asarray(np.isfinite(distance))


def near_others(
    coords: NDArray[np.int32],
    fold: NDArray[np.int8],
    spacing: tuple[float, float, float],
    guard: float,
) -> NDArray[np.bool_]:
    """Find the voxels that may lie closer than `guard` to one of another fold.

    All, where paint is sparse. Of whole slices that are filled these are few, and only
    they need to be measured for each fold.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)``, in row-major order.
    fold : numpy.ndarray
        ``(N,)``, -1 to 125.
    spacing : tuple of float
        Voxel size (z, y, x).
    guard : float
        In the unit of `spacing`.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool; False only where none is that close.
    """
    low, box = _box(coords)
    if not _is_dense(coords, box):
        return np.ones(len(coords), bool)
    z, y, x = (ceil(guard / size) for size in spacing)
    marks = (fold + 2).astype(np.uint8)  # 0 is not painted
    highest = _largest_around(coords - low, marks, box, (z, y, x))
    lowest = _largest_around(coords - low, ~marks, box, (z, y, x))
    return np.asarray(highest != ~lowest)


def within_reach(
    coords: NDArray[np.int32],
    seen: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    reach: tuple[int, int, int],
) -> NDArray[np.bool_]:
    """Find the voxels in whose surroundings there is a seen one.

    Surroundings are a box, as the receptive field of a network is one.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)``, in row-major order.
    seen, asked : numpy.ndarray
        ``(N,)`` bool.
    reach : tuple of int
        Half the box without its centre, (z, y, x) in voxels.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool, False for those that were not asked about.
    """
    near = np.zeros(len(coords), bool)
    seen = seen & _on_slices_near(coords[:, 0], coords[asked, 0], reach[0])
    if not seen.any() or not asked.any():
        return near
    low, box = _box(coords)
    if _is_dense(coords, box):
        around = _largest_around(coords - low, seen.astype(np.uint8), box, reach)
        return np.asarray(asked & (around > 0))
    scale = 1.0 / (np.asarray(reach) + 0.5)  # within reach is below 1, never at it
    distance, _ = cKDTree(coords[seen] * scale).query(
        coords[asked] * scale, p=np.inf, distance_upper_bound=1.0
    )
    near[asked] = np.isfinite(distance)
    return near


def _box(
    coords: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lowest corner and size of the box around all."""
    low = coords.min(axis=0)
    return low, coords.max(axis=0) - low + 1


def _is_dense(coords: NDArray[np.int32], box: NDArray[np.int32]) -> bool:
    return bool(len(coords) > DENSE * box.prod(dtype=np.float64))


def _on_slices_near(
    z: NDArray[np.int32], asked: NDArray[np.int32], reach: int
) -> NDArray[np.bool_]:
    """Whether there is a voxel that is asked about within reach along z."""
    slices = np.unique(asked)
    low = np.searchsorted(slices, z - reach)
    return np.asarray(low < np.searchsorted(slices, z + reach, side="right"))


def _largest_around(
    coords: NDArray[np.int32],
    marks: NDArray[np.uint8],
    box: NDArray[np.int32],
    reach: tuple[int, int, int],
) -> NDArray[np.uint8]:
    """Largest mark ``(N,)`` in a box around each voxel, slab by slab."""
    found = np.zeros(len(coords), np.uint8)
    halo = reach[0]
    planes = max(1, SLAB // int(box[1] * box[2]))
    for start in range(0, int(box[0]), planes):
        first, last = max(start - halo, 0), min(start + planes + halo, int(box[0]))
        around = slice(*np.searchsorted(coords[:, 0], [first, last]))
        mine = slice(*np.searchsorted(coords[:, 0], [start, start + planes]))
        slab = np.zeros((last - first, box[1], box[2]), np.uint8)
        slab[tuple((coords[around] - (first, 0, 0)).T)] = marks[around]
        slab = maximum_filter(slab, [2 * side + 1 for side in reach], mode="constant")
        found[mine] = slab[tuple((coords[mine] - (first, 0, 0)).T)]
    return found


def _by_maps(
    coords: NDArray[np.int32],
    held: NDArray[np.bool_],
    box: NDArray[np.int32],
    spacing: tuple[float, float, float],
    guard: float,
) -> NDArray[np.bool_]:
    near = np.zeros(len(coords), bool)
    halo = ceil(guard / spacing[0])  # planes further away do not matter
    planes = max(1, SLAB // int(box[1] * box[2]))
    for start in range(0, int(box[0]), planes):
        first, last = max(start - halo, 0), min(start + planes + halo, int(box[0]))
        seen = slice(*np.searchsorted(coords[:, 0], [first, last]))
        mine = slice(*np.searchsorted(coords[:, 0], [start, start + planes]))
        free = np.ones((last - first, box[1], box[2]), bool)
        marks = coords[seen][held[seen]] - (first, 0, 0)
        if not len(marks):
            continue
        free[tuple(marks.T)] = False
        distance = distance_transform_edt(free, sampling=spacing)
        near[mine] = distance[tuple((coords[mine] - (first, 0, 0)).T)] < guard
    return near
