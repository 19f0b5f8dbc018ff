"""Which labelled voxels lie close to those that are held out."""

from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
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
    low = coords.min(axis=0)
    box = coords.max(axis=0) - low + 1
    if len(coords) > DENSE * box.prod(dtype=np.float64):
        return _by_maps(coords - low, held, box, spacing, guard)
    scale = np.asarray(spacing)
    tree = cKDTree(coords[held] * scale)
    distance, _ = tree.query(coords * scale, distance_upper_bound=guard)
    return np.asarray(np.isfinite(distance))


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
        first, last = start - halo, min(start + planes, int(box[0])) + halo
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
