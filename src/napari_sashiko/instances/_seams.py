"""Basins and passes that go on in the next block.

Strategy: a block gives away the outermost voxels of its pieces, how high they are and
which way leads up from them. Where two blocks meet, a way that leads across makes two
pieces one basin; all pairs of voxels that touch are passes, as within a block.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._basins import (
    STEPS,
    Basins,
    Passes,
    highest,
    passes_of,
)
from napari_sashiko.instances._heights import Heights
from napari_sashiko.instances._merging import hills
from napari_sashiko.instances._source import Region, Triple
from napari_sashiko.instances._ties import REACH, Faces, Nodes, Ties, shifts
from napari_sashiko.instances.settings import Connectivity

BITS = 5  # for one of 27 steps
Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Relief:
    """What a block in pieces sends back, so that they can be put together.

    Parameters
    ----------
    labels, slopes : Faces
        Outermost pieces; their heights and ways up.
    tops : (n, 2) int64
        Height of the peak of each piece, and its place in the volume; height 0 where
        it lies in another block.
    passes : (E, 3) int64
        Pieces that touch, and the height of the pass between them.
    """

    labels: Faces
    slopes: Faces
    tops: Pairs
    passes: Passes

    @classmethod
    def of(
        cls,
        basins: Basins,
        heights: Heights,
        region: Region,
        shape: Triple,
        connectivity: Connectivity,
    ) -> "Relief":
        """Take it from a block: pieces, heights (z, y, x), and where it lies."""
        slopes = heights << np.uint32(BITS) | basins.steps
        origin = np.array([part.start for part in region])
        where = np.clip(basins.places + origin, 0, np.array(shape) - 1)
        places = np.ravel_multi_index(tuple(where.T), shape)
        return cls(
            Faces.of(basins.labels),
            Faces.of(slopes),
            np.stack([basins.peaks, places], axis=1).astype(np.int64),
            passes_of(basins.labels, heights, connectivity),
        )


def seam(
    low: tuple[Any, Any],
    high: tuple[Any, Any],
    step: Triple,
    connectivity: Connectivity,
) -> tuple[Pairs, Passes]:
    """Pieces of two blocks that are one basin, and passes between them.

    Parameters
    ----------
    low, high : (labels, slopes)
        Facing voxels, (z, y, x) uint32; one voxel thick along the axes of `step`.
    step : (int, int, int)
        From the first block to the second.
    connectivity : {6, 18, 26}
        What touches.

    Returns
    -------
    (P, 2) int64
        Labels of the first and of the second block in one basin.
    (E, 3) int64
        Labels of the first and of the second block, and height.
    """
    angle = REACH[connectivity] - sum(map(abs, step))
    shared, passes = [], []
    for shift in [(0, 0, 0), *shifts(step, angle)] if angle >= 0 else []:
        z, y, x = (a + b for a, b in zip(step, shift, strict=True))
        way = STEPS.index((z, y, x))
        sides = list(zip(shift, low[0].shape, strict=True))
        here = tuple(slice(max(0, -s), min(n, n - s)) for s, n in sides)
        there = tuple(slice(max(0, s), min(n, n + s)) for s, n in sides)
        where = (low[0][here] > 0) & (high[0][there] > 0)
        first, second = low[0][here][where], high[0][there][where]
        slope, facing = low[1][here][where], high[1][there][where]
        code = np.uint32((1 << BITS) - 1)
        # STEPS is symmetric: the way back is as far from its end.
        crossing = (slope & code == way) | (facing & code == len(STEPS) - 1 - way)
        shared.append(_ordered(first[crossing], second[crossing], 0))
        saddle = np.minimum(slope >> np.uint32(BITS), facing >> np.uint32(BITS))
        passes.append(_ordered(first, second, saddle))
    none = np.zeros((0, 3), np.int64)
    same = _distinct(np.concatenate([none, *shared]))
    return same[:, :2], _distinct(np.concatenate([none, *passes]))


@dataclass
class Seams(Ties):
    """All basins and passes of a volume, collected while blocks come in.

    Parameters
    ----------
    depth : float
        Least depth of a valley, as a share of the height of the lower peak.
    """

    depth: float = 0.0
    _tops: list[Pairs] = field(default_factory=list)
    _passes: list[Passes] = field(default_factory=list)

    def add(self, index: Triple, count: int, faces: Any) -> None:
        """Join a block of `count` pieces to those that are there; see ``Ties``."""
        self._tops.append(faces.tops)
        self._passes.append(faces.passes + np.array([self.nodes - 1] * 2 + [0]))
        super().add(index, count, faces)

    def roots(self) -> Nodes:
        """Object of each node, (N,) int32."""
        tops = np.concatenate([np.zeros((0, 2), np.int64), *self._tops])
        passes = np.concatenate([np.zeros((0, 3), np.int64), *self._passes])
        return hills(tops, self.pairs(), passes, self.depth)

    def _meet(
        self, step: Triple, here: tuple[int, Any], there: tuple[int, Any]
    ) -> None:
        back = (-step[0], -step[1], -step[2])
        shared, passes = seam(
            (here[1].labels.labels(step), here[1].slopes.labels(step)),
            (there[1].labels.labels(back), there[1].slopes.labels(back)),
            step,
            self.connectivity,
        )
        first = np.array([here[0] - 1, there[0] - 1])
        self._pairs.append((shared + first).astype(np.int32))
        self._passes.append(passes + np.array([*first, 0]))


def _ordered(first: Any, second: Any, saddle: Any) -> Pairs:
    height = np.broadcast_to(saddle, first.shape)
    return np.stack([first, second, height], axis=1).astype(np.int64)


def _distinct(found: Pairs) -> Passes:
    """Highest way of each pair of labels; the first stays the first block's."""
    # Labels of two blocks: told apart, so that ordering pairs does not mix them.
    apart = highest(2 * found[:, 0], 2 * found[:, 1] + 1, found[:, 2])
    flipped = apart[:, 0] % 2 == 1
    apart[flipped, :2] = apart[flipped, 1::-1]
    apart[:, :2] //= 2
    return apart
