"""Blocks of a mask, each with one voxel of its neighbours on the high side.

Strategy: blocks are whole chunks, wide in y and x and walked along z, and the first
plane of the next block is the overlap of this one: each chunk is decoded once but for
the overlap in y and x.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._source import Region, Source, Triple

VOXELS = 1 << 22  # 4 million: about 100 MB with masks, labels and coordinates
WIDEST = 1024


@dataclass(frozen=True)
class Block:
    """A box of the volume and its mask.

    Parameters
    ----------
    index : (int, int, int)
        Position in the grid of blocks.
    region : Region
        The voxels that the block owns.
    mask : (z + 0 or 1, y + 0 or 1, x + 0 or 1) bool
        The owned voxels and one more on each high side where there is one.
    """

    index: Triple
    region: Region
    mask: npt.NDArray[np.bool_]

    @property
    def body(self) -> Region:
        """The owned voxels within the mask."""
        z, y, x = (slice(0, part.stop - part.start) for part in self.region)
        return z, y, x


def block_shape(shape: Triple, chunk: Triple, voxels: int = VOXELS) -> Triple:
    """Shape of a block: whole chunks, at most about `voxels`, widest in y and x.

    A single chunk is the least, however large it is.
    """
    sides = list(chunk)
    for axis, most in ((2, WIDEST), (1, WIDEST), (0, shape[0])):
        rest = int(np.prod(sides)) // sides[axis]
        fits = min(voxels // rest, most, shape[axis] + chunk[axis] - 1)
        sides[axis] = max(1, fits // chunk[axis]) * chunk[axis]
    return sides[0], sides[1], sides[2]


def block_count(shape: Triple, block: Triple) -> int:
    """Count the blocks."""
    return int(np.prod([-(-n // b) for n, b in zip(shape, block, strict=True)]))


def walk(source: Source, block: Triple) -> Iterator[Block]:
    """Blocks with their masks: for each (y, x), along z."""
    shape = source.shape
    starts = [range(0, n, b) for n, b in zip(shape, block, strict=True)]
    for (j, y), (k, x) in product(enumerate(starts[1]), enumerate(starts[2])):
        sides = [
            (slice(s, min(s + b, n)), slice(s, min(s + b + 1, n)))
            for s, b, n in zip((y, x), block[1:], shape[1:], strict=True)
        ]
        slabs = [slice(z, min(z + block[0], shape[0])) for z in starts[0]]
        current = _mask(source, slabs[0], sides)
        for i, slab in enumerate(slabs):
            last = i + 1 == len(slabs)
            following = None if last else _mask(source, slabs[i + 1], sides)
            whole = current if following is None else _joined(current, following)
            yield Block((i, j, k), (slab, sides[0][0], sides[1][0]), whole)
            if following is not None:
                current = following


def _mask(
    source: Source, slab: slice, sides: list[tuple[slice, slice]]
) -> npt.NDArray[np.bool_]:
    return source.mask((slab, sides[0][1], sides[1][1]))


def _joined(current: Any, following: Any) -> npt.NDArray[np.bool_]:
    return np.concatenate([current, following[:1]])
