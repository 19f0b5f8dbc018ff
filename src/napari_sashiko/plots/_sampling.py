"""Random places of a volume, and the tiles that paint lies in."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.volumes import Region

TILE = (16, 128, 128)  # voxels of a part of the volume that is read at once


def random_regions(
    shape: Sequence[int], edges: Sequence[int], count: int, seed: int
) -> list[Region]:
    """Regions of equal size at random places, none of them twice.

    Parameters
    ----------
    shape, edges : sequence of int
        Volume and region (z, y, x), voxels; a region is no larger than the volume.
    count : int
        Most regions.
    seed : int
        The same seed gives the same places.
    """
    rng = np.random.default_rng(seed)
    sizes = [min(int(e), int(n)) for e, n in zip(edges, shape, strict=True)]
    room = [int(n) - size + 1 for n, size in zip(shape, sizes, strict=True)]
    starts = {tuple(int(v) for v in rng.integers(room)) for _ in range(count)}
    return [
        (
            slice(z, z + sizes[0]),
            slice(y, y + sizes[1]),
            slice(x, x + sizes[2]),
        )
        for z, y, x in sorted(starts)
    ]


def painted_tiles(
    labelled: LabelledVoxels, most: int, seed: int
) -> Iterator[tuple[Region, NDArray[np.int64], NDArray[np.uint8]]]:
    """Go through tiles with paint; through a random part of them if there are many.

    Yields
    ------
    region : Region
        The box of the tile's paint.
    places : numpy.ndarray
        ``(n, 3)`` of the painted voxels, in that box.
    values : numpy.ndarray
        ``(n,)`` their class ids.
    """
    if not len(labelled):
        return
    keys = labelled.coords // np.array(TILE)
    order = np.lexsort(keys.T[::-1])
    changes = (np.diff(keys[order], axis=0) != 0).any(axis=1)
    groups = np.split(order, np.flatnonzero(changes) + 1)
    if len(groups) > most:
        chosen = np.random.default_rng(seed).choice(len(groups), most, replace=False)
        groups = [groups[number] for number in sorted(chosen)]
    for rows in groups:
        coords = labelled.coords[rows].astype(np.int64)
        low, high = coords.min(axis=0), coords.max(axis=0) + 1
        z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        yield (z, y, x), coords - low, labelled.values[rows]
