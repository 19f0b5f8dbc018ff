"""Labels of two neighbouring blocks that are the same object.

Strategy: a block gives away the outermost voxels of its six sides, packed. Two blocks
that share a face, an edge or a corner are compared once, as soon as both are there:
voxels that face each other tie their labels. Across a face, voxels that touch at an
angle are looked at only where neither faces another: else a neighbour ties them.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_sashiko.instances._source import Triple
from napari_sashiko.instances.settings import Connectivity

Labels = npt.NDArray[np.uint32]
Pairs = npt.NDArray[np.int64]
Nodes = npt.NDArray[np.int32]
Side = tuple[int, int]  # axis, and -1 (low) or 1 (high)
SIDES: tuple[Side, ...] = tuple(product(range(3), (-1, 1)))
STEPS = [step for step in product((-1, 0, 1), repeat=3) if any(step)]
REACH = {6: 1, 18: 2, 26: 3}  # axes in which touching voxels may differ
FACE_LEVEL = 1


@dataclass(frozen=True)
class Faces:
    """The outermost labels of a block: planes of one voxel, packed.

    Parameters
    ----------
    shape : (int, int, int)
        Shape of the block.
    packed : tuple of bytes
        In the order of ``SIDES``; faces are mostly zeros and runs.
    """

    shape: Triple
    packed: tuple[bytes, ...]

    @classmethod
    def of(cls, labels: Labels) -> "Faces":
        """Take the faces of a labelled block, (z, y, x) uint32."""
        z, y, x = labels.shape
        packed = tuple(
            zlib.compress(np.ascontiguousarray(labels[_plane(side)]).data, FACE_LEVEL)
            for side in SIDES
        )
        return cls((z, y, x), packed)

    def labels(self, step: Triple) -> Labels:
        """Labels next to the neighbour in this direction, one voxel thick."""
        axis = next(a for a in range(3) if step[a])
        shape = [1 if a == axis else n for a, n in enumerate(self.shape)]
        packed = self.packed[SIDES.index((axis, step[axis]))]
        face = np.frombuffer(zlib.decompress(packed), np.uint32).reshape(shape)
        for other in range(axis + 1, 3):
            if step[other]:
                face = face[_plane((other, step[other]))]
        return face


def ties(low: Labels, high: Labels, step: Triple, connectivity: Connectivity) -> Pairs:
    """Pairs of labels that touch.

    Parameters
    ----------
    low, high : (z, y, x) uint32
        Facing voxels of two blocks; one voxel thick along the axes of `step`.
    step : (int, int, int)
        From the first block to the second.
    connectivity : {6, 18, 26}
        What touches.

    Returns
    -------
    (P, 2) int64
        Labels of the first and of the second block.
    """
    angle = REACH[connectivity] - sum(map(abs, step))
    if angle < 0:
        return np.zeros((0, 2), np.int64)
    codes = [_codes(low, high, (low > 0) & (high > 0))]
    for shift in shifts(step, angle):
        here = tuple(slice(max(0, -s), min(n, n - s)) for s, n in _with(shift, low))
        there = tuple(slice(max(0, s), min(n, n + s)) for s, n in _with(shift, low))
        alone = (low[here] > 0) & (high[here] == 0)
        alone &= (high[there] > 0) & (low[there] == 0)
        codes.append(_codes(low[here], high[there], alone))
    found = np.unique(np.concatenate(codes))
    pair = found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)
    return np.stack(pair, axis=1).astype(np.int64)


def united(count: int, pairs: Nodes) -> tuple[int, Nodes]:
    """Group tied nodes.

    Parameters
    ----------
    count : int
        Number of nodes.
    pairs : (P, 2) int32
        Tied nodes.

    Returns
    -------
    int
        Number of groups.
    (count,) int32
        Group of each node.
    """
    if not count:
        return 0, np.zeros(0, np.int32)
    ends = pairs[:, 0], pairs[:, 1]
    graph = coo_array((np.ones(len(pairs), bool), ends), shape=(count, count))
    number, groups = connected_components(graph, directed=False)
    return int(number), groups.astype(np.int32, copy=False)


@dataclass
class Ties:
    """All ties of a volume, collected while blocks come in.

    Parameters
    ----------
    connectivity : {6, 18, 26}
        What touches.
    grid : (int, int, int)
        Number of blocks along each axis.
    rows : int
        Blocks of a frame along z: those of two frames are no neighbours.
    """

    connectivity: Connectivity
    grid: Triple
    rows: int
    nodes: int = field(default=0, init=False)
    _waiting: dict[Triple, tuple[int, Any]] = field(default_factory=dict)
    _missing: dict[Triple, int] = field(default_factory=dict)
    _pairs: list[Nodes] = field(default_factory=list)

    def add(self, index: Triple, count: int, faces: Any) -> None:
        """Tie a block to the neighbours that are there already.

        Parameters
        ----------
        index : (int, int, int)
            Place of the block in the grid.
        count : int
            Number of its labels: the next nodes.
        faces : Faces
            Its outermost labels.
        """
        offset = self.nodes
        self.nodes += count
        self._missing[index] = 0
        for step, other in self._neighbours(index):
            if other not in self._waiting:
                self._missing[index] += 1
                continue
            self._meet(step, (offset, faces), self._waiting[other])
            self._missing[other] -= 1
            if not self._missing[other]:
                del self._waiting[other], self._missing[other]
        if self._missing[index]:
            self._waiting[index] = offset, faces

    def pairs(self) -> Nodes:
        """Tied nodes, (P, 2) int32."""
        return np.concatenate([np.zeros((0, 2), np.int32), *self._pairs])

    def roots(self) -> Nodes:
        """Object of each node, (N,) int32."""
        return united(self.nodes, self.pairs())[1]

    def _meet(
        self, step: Triple, here: tuple[int, Any], there: tuple[int, Any]
    ) -> None:
        """Compare the faces of two blocks, the second one `step` further."""
        (offset, faces), (before, theirs) = here, there
        back = _triple(tuple(-s for s in step))
        pairs = ties(faces.labels(step), theirs.labels(back), step, self.connectivity)
        if len(pairs):
            nodes = pairs + np.array([offset - 1, before - 1])
            self._pairs.append(nodes.astype(np.int32))

    def _neighbours(self, index: Triple) -> Iterator[tuple[Triple, Triple]]:
        for step in STEPS:
            other = _triple(tuple(i + s for i, s in zip(index, step, strict=True)))
            there = all(0 <= i < n for i, n in zip(other, self.grid, strict=True))
            if there and other[0] // self.rows == index[0] // self.rows:
                yield _triple(step), other


def _codes(
    low: Labels, high: Labels, where: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint64]:
    shifted = low[where].astype(np.uint64) << np.uint64(32)
    codes: npt.NDArray[np.uint64] = np.bitwise_or(shifted, high[where])
    # Runs are most of a face: dropping them first makes sorting cheap.
    changes = np.flatnonzero(np.diff(codes, prepend=~codes[:1]))
    kept: npt.NDArray[np.uint64] = codes[changes]
    return kept


def shifts(step: Triple, angle: int) -> list[Triple]:
    """Moves along a face between voxels that touch at an angle.

    Parameters
    ----------
    step : (int, int, int)
        From one block to the other.
    angle : int
        Along how many axes at most.
    """
    free = [(0,) if s else (-1, 0, 1) for s in step]
    moves = [_triple(each) for each in product(*free)]
    return [each for each in moves if 0 < sum(map(abs, each)) <= angle]


def _with(shift: Triple, labels: Labels) -> Iterator[tuple[int, int]]:
    return zip(shift, labels.shape, strict=True)


def _plane(side: Side) -> tuple[slice, ...]:
    axis, end = side
    edge = slice(0, 1) if end < 0 else slice(-1, None)
    return tuple(edge if a == axis else slice(None) for a in range(3))


def _triple(values: tuple[int, ...]) -> Triple:
    z, y, x = values
    return z, y, x
