"""Strokes: the connected pieces of sparse paint."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels.labelled import LabelledVoxels
from napari_sashiko.volumes.frames import frames_apart

# Lines (z, y) that come after a voxel's own in row-major order and touch it.
LINES = ((0, 1), (1, -1), (1, 0), (1, 1))


def stroke_components(
    labelled: LabelledVoxels, *, frame: int | None = None
) -> NDArray[np.int64]:
    """Number the connected strokes of each class.

    Strategy: voxels are sorted, so those that follow each other along x are runs, found
    by one comparison. Only links between runs of neighbouring lines go to the graph.

    Parameters
    ----------
    labelled : LabelledVoxels
        All paint.
    frame : int, optional
        Slices of a frame: no stroke goes on in the next one.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64: voxels with the same number touch (26-connected) and have the
        same class.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - scipy loads slowly
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not len(labelled):
        return np.zeros(0, np.int64)
    places = _flat(labelled, frame)
    values = labelled.values
    begins = np.ones(len(values), bool)
    begins[1:] = (np.diff(places) != 1) | (values[1:] != values[:-1])
    runs = np.cumsum(begins) - 1
    count = int(runs[-1]) + 1
    found = _links(labelled, places, runs)
    links = np.concatenate([*found, np.zeros((0, 2), int)])
    graph = coo_array((np.ones(len(links), bool), links.T), shape=(count, count))
    names = connected_components(graph, directed=False)[1]
    return np.asarray(names[runs], np.int64)


def _flat(labelled: LabelledVoxels, frame: int | None) -> NDArray[np.int64]:
    """Return places in row-major order; lines are longer, so that their ends part."""
    _, height, width = labelled.shape
    z, y, x = frames_apart(labelled.coords.astype(np.int64), frame, 1).T
    return np.asarray((z * (height + 2) + y) * (width + 2) + x)


def _links(
    labelled: LabelledVoxels,
    places: NDArray[np.int64],
    runs: NDArray[np.int64],
) -> list[NDArray[np.int64]]:
    _, height, width = labelled.shape
    found = []
    for (z, y), x in product(LINES, (-1, 0, 1)):
        wanted = places + (z * (height + 2) + y) * (width + 2) + x
        there = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        linked = places[there] == wanted
        linked &= labelled.values[there] == labelled.values
        pairs = np.stack([runs[linked], runs[there[linked]]], axis=1)
        changes = np.ones(len(pairs), bool)
        changes[1:] = (np.diff(pairs, axis=0) != 0).any(axis=1)
        found.append(pairs[changes])
    return found
