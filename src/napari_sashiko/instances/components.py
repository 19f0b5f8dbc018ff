"""Which voxels touch, in volumes larger than memory.

Strategy: each block is labelled together with one voxel of its neighbours on the
high sides. A voxel that two blocks have labelled ties the two labels; any two touching
voxels lie together in some block with its overlap, so faces, edges and corners need no
case of their own. The ties are a sparse graph, whose connected components are the
objects. Labels are not stored: they come out the same when a block is labelled again.
"""

import zlib
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, cast

import cc3d
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_sashiko.errors import OutputError
from napari_sashiko.instances._blocks import Block, block_count, block_shape, walk
from napari_sashiko.instances._source import Region, Source, Triple
from napari_sashiko.instances.settings import Connectivity
from napari_sashiko.runners import Event, Progress

IntArray = npt.NDArray[Any]
DIRECTIONS = [step for step in product((0, 1), repeat=3) if any(step)]
VOXELS_AT_A_TIME = 1 << 20  # counted at a time: bincount copies to 64 bits
FACE_LEVEL = 1
MOST_LABELS = 2**31 - 1  # the graph counts in 32 bits


@dataclass(frozen=True)
class Components:
    """The objects of a mask.

    Parameters
    ----------
    block : (int, int, int)
        Shape of a block.
    counts : (B,) int64
        Labels of each block, in the order of the walk.
    roots : (N,) int32
        Object of each label of each block.
    sizes : (M,) int64
        Voxels of each object.
    """

    block: Triple
    counts: IntArray
    roots: IntArray
    sizes: IntArray

    def ranks(self, fewest: int) -> IntArray:
        """Rank objects by size: 1 is the largest, 0 is dust.

        Parameters
        ----------
        fewest : int
            Voxels of the smallest object that stays.

        Returns
        -------
        (M,) uint32
        """
        order = np.argsort(-self.sizes, kind="stable")
        ranks = np.empty(len(order), np.uint32)
        ranks[order] = np.arange(1, len(order) + 1, dtype=np.uint32)
        ranks[self.sizes < fewest] = 0
        return ranks


def label_block(block: Block, connectivity: Connectivity) -> tuple[IntArray, int]:
    """Label one block with its overlap: uint32 of the mask's shape, and how many."""
    shape = block.mask.shape
    # cc3d 4.1 has room for one label per eight voxels: isolated voxels need even sides.
    mask = np.pad(block.mask, [(0, n % 2) for n in shape])
    labels, count = cc3d.connected_components(
        mask, connectivity=connectivity, return_N=True, out_dtype=np.uint32
    )
    return labels[tuple(slice(0, n) for n in shape)], int(count)


def find_components(
    source: Source, block: Triple | None = None
) -> Generator[Event, None, Components]:
    """Group touching voxels; the generator returns the objects.

    Parameters
    ----------
    source : Source
        The mask.
    block : (int, int, int), optional
        Shape of a block: a multiple of the chunk; None chooses.

    Yields
    ------
    Progress

    Returns
    -------
    Components

    Raises
    ------
    OutputError
        If there are more pieces than can be numbered.
    """
    block = block or block_shape(source.shape, source.chunk)
    total = block_count(source.shape, block)
    ties = _Ties()
    counts, sizes = [], []
    for each in walk(source, block):
        labels, count = label_block(each, source.settings.connectivity)
        ties.add(each, labels, count)
        counts.append(count)
        sizes.append(_sizes(labels[each.body], count))
        yield Progress(len(counts), total, "finding objects")
    return _united(block, counts, sizes, ties)


def exhaust(work: Generator[Event, None, Components]) -> Components:
    """Run a search to its end and hand over what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast("Components", end.value)


def _united(
    block: Triple, counts: list[int], sizes: list[IntArray], ties: "_Ties"
) -> Components:
    nodes = sum(counts)
    if nodes > MOST_LABELS:
        raise OutputError(
            f"The mask falls into {nodes} pieces, more than can be numbered.",
            "Raise the threshold: this looks like noise.",
        )
    pairs = ties.pairs()
    ones = np.ones(len(pairs), bool)
    ends = pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)
    graph = coo_array((ones, ends), shape=(nodes, nodes))
    number, roots = (
        connected_components(graph, directed=False) if nodes else (0, np.zeros(0, int))
    )
    summed = np.zeros(number, np.int64)
    np.add.at(summed, roots, np.concatenate([np.zeros(0, np.int64), *sizes]))
    return Components(block, np.array(counts, np.int64), roots.astype(np.int32), summed)


@dataclass
class _Ties:
    """Labels of the overlap, kept until the block that owns the voxels is labelled."""

    offset: int = 0
    _waiting: dict[Triple, list[tuple[Triple, int, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _pairs: list[IntArray] = field(default_factory=list)

    def add(self, block: Block, labels: IntArray, count: int) -> None:
        """Tie the labels of a block to those of its neighbours on the low side."""
        self._tie(block, labels)
        self._keep(block, labels)
        self.offset += count

    def pairs(self) -> IntArray:
        """(P, 2) int64 labels that are the same object."""
        return np.concatenate([np.zeros((0, 2), np.int64), *self._pairs])

    def _tie(self, block: Block, labels: IntArray) -> None:
        for step, offset, packed in self._waiting.pop(block.index, ()):
            own = labels[_low(step, block)]
            theirs = np.frombuffer(zlib.decompress(packed), np.uint32)
            own, there = own.ravel(), theirs > 0
            codes = (theirs[there].astype(np.uint64) << np.uint64(32)) | own[there]
            codes = np.unique(codes)
            low = (codes >> np.uint64(32)).astype(np.int64) - 1 + offset
            high = (codes & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1 + self.offset
            self._pairs.append(np.stack([low, high], axis=1).astype(np.int64))

    def _keep(self, block: Block, labels: IntArray) -> None:
        for step in DIRECTIONS:
            if any(
                s and m == part.stop - part.start
                for s, m, part in zip(step, block.mask.shape, block.region, strict=True)
            ):
                continue  # the volume ends here
            i, j, k = (a + s for a, s in zip(block.index, step, strict=True))
            face = np.ascontiguousarray(labels[_high(step, block)])
            # Faces are mostly zeros: packed, a wide volume's stay small.
            packed = zlib.compress(face.data, FACE_LEVEL)
            self._waiting[i, j, k].append((_triple(step), self.offset, packed))


def _low(step: tuple[int, ...], block: Block) -> Region:
    z, y, x = (
        slice(0, 1) if s else part for s, part in zip(step, block.body, strict=True)
    )
    return z, y, x


def _high(step: tuple[int, ...], block: Block) -> Region:
    z, y, x = (
        slice(part.stop, part.stop + 1) if s else part
        for s, part in zip(step, block.body, strict=True)
    )
    return z, y, x


def _sizes(labels: IntArray, count: int) -> IntArray:
    """Voxels of labels 1 to `count`, a few planes at a time."""
    sizes = np.zeros(count + 1, np.int64)
    planes = max(1, VOXELS_AT_A_TIME // max(1, labels[0].size))
    for start in range(0, len(labels), planes):
        part = labels[start : start + planes]
        sizes += np.bincount(part[part > 0], minlength=count + 1)
    return sizes[1:]


def _triple(values: tuple[int, ...]) -> Triple:
    z, y, x = values
    return z, y, x
