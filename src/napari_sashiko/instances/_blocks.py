"""The volume cut into blocks of whole chunks: each chunk is read and written once."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from napari_sashiko.instances._source import Region, Triple
from napari_sashiko.volumes import spans

VOXELS = 1 << 22  # 4 million: about 100 MB with probabilities, labels and coordinates
Block = tuple[int, Triple, Region]  # number, place in the grid, voxels


def block_shape(shape: Triple, chunk: Triple, voxels: int = VOXELS) -> Triple:
    """Shape of a block: whole chunks, at most about `voxels`, as cubic as they allow.

    A single chunk is the least, however large it is.
    """
    sides = list(chunk)
    while True:
        wider = [
            axis
            for axis in range(3)
            if sides[axis] < shape[axis]
            and int(np.prod(sides)) // sides[axis] * (sides[axis] + chunk[axis])
            <= voxels
        ]
        if not wider:
            return sides[0], sides[1], sides[2]
        axis = min(wider, key=lambda each: sides[each])
        sides[axis] += chunk[axis]


def block_grid(shape: Triple, block: Triple, frame: int | None = None) -> Triple:
    """Count the blocks along each axis."""
    z, y, x = (len(each) for each in _cuts(shape, block, frame))
    return z, y, x


def blocks(shape: Triple, block: Triple, frame: int | None = None) -> Iterator[Block]:
    """All blocks, numbered along z, for each (y, x); none lies in two frames."""
    cuts = _cuts(shape, block, frame)
    order = product(*(enumerate(cuts[axis]) for axis in (1, 2, 0)))
    for number, ((j, y), (k, x), (i, z)) in enumerate(order):
        yield number, (i, j, k), (slice(*z), slice(*y), slice(*x))


def _cuts(
    shape: Triple, block: Triple, frame: int | None
) -> list[list[tuple[int, int]]]:
    parts = (frame, None, None)
    return [spans(*each) for each in zip(shape, block, parts, strict=True)]
