"""Strokes: the connected pieces of sparse paint."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels.labelled import LabelledVoxels

# Lines (z, y) that come after a voxel's own in row-major order and touch it.
LINES = ((0, 1), (1, -1), (1, 0), (1, 1))


def stroke_components(
    labelled: LabelledVoxels, *, separate: bool = False
) -> NDArray[np.int64]:
    """Number the connected strokes of each class.

    Strategy: voxels are sorted, so those that follow each other along x are runs, found
    by one comparison. Only links between runs of neighbouring lines go to the graph.

    Parameters
    ----------
    labelled : LabelledVoxels
        All paint.
    separate : bool
        Whether slices are pictures of their own: no stroke goes on in the next one.

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
    places = _flat(labelled)
    values = labelled.values
    begins = np.ones(len(values), bool)
    begins[1:] = (np.diff(places) != 1) | (values[1:] != values[:-1])
    runs = np.cumsum(begins) - 1
    count = int(runs[-1]) + 1
    lines = [(z, y) for z, y in LINES if not (z and separate)]
    found = _links(labelled, places, runs, lines)
    links = np.concatenate([*found, np.zeros((0, 2), int)])
    graph = coo_array((np.ones(len(links), bool), links.T), shape=(count, count))
    names = connected_components(graph, directed=False)[1]
    return np.asarray(names[runs], np.int64)


def _flat(labelled: LabelledVoxels) -> NDArray[np.int64]:
    """Return places in row-major order; lines are longer, so that their ends part."""
    _, height, width = labelled.shape
    z, y, x = labelled.coords.astype(np.int64).T
    return np.asarray((z * (height + 2) + y) * (width + 2) + x)


def _links(
    labelled: LabelledVoxels,
    places: NDArray[np.int64],
    runs: NDArray[np.int64],
    lines: Sequence[tuple[int, int]],
) -> list[NDArray[np.int64]]:
    _, height, width = labelled.shape
    found = []
    for (z, y), x in product(lines, (-1, 0, 1)):
        wanted = places + (z * (height + 2) + y) * (width + 2) + x
        there = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        linked = places[there] == wanted
        linked &= labelled.values[there] == labelled.values
        pairs = np.stack([runs[linked], runs[there[linked]]], axis=1)
        changes = np.ones(len(pairs), bool)
        changes[1:] = (np.diff(pairs, axis=0) != 0).any(axis=1)
        found.append(pairs[changes])
    return found
