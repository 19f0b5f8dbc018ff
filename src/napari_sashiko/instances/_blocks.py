"""The volume cut into blocks of whole chunks: each chunk is read and written once."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from napari_sashiko.instances._source import Region, Triple

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


def block_count(shape: Triple, block: Triple) -> int:
    """Count the blocks."""
    return int(np.prod([-(-n // b) for n, b in zip(shape, block, strict=True)]))


def blocks(shape: Triple, block: Triple) -> Iterator[Block]:
    """All blocks, numbered along z, for each (y, x)."""
    starts = [range(0, n, b) for n, b in zip(shape, block, strict=True)]
    order = product(*(enumerate(starts[axis]) for axis in (1, 2, 0)))
    for number, ((j, y), (k, x), (i, z)) in enumerate(order):
        z_side, y_side, x_side = (
            slice(s, min(s + b, n))
            for s, b, n in zip((z, y, x), block, shape, strict=True)
        )
        yield number, (i, j, k), (z_side, y_side, x_side)
