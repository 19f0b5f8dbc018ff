"""Which voxels touch, in volumes larger than memory.

Strategy: each block is labelled alone, by whoever has time; it sends back how many
labels it has, their sizes, and its outermost voxels. Where two blocks meet, voxels that
touch tie their labels. The ties are a sparse graph, whose connected components are the
objects. Labels are not stored: they come out the same when a block is labelled again.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import cc3d
import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import OutputError
from napari_sashiko.instances._blocks import Block, block_grid, block_shape, blocks
from napari_sashiko.instances._seams import Relief, Seams
from napari_sashiko.instances._source import Region, Source, Triple
from napari_sashiko.instances._ties import Faces, Ties
from napari_sashiko.instances.settings import Connectivity
from napari_sashiko.instances.splitting import cut_block, relief_of
from napari_sashiko.runners import Event, Progress, Run, Tick, in_order

IntArray = npt.NDArray[Any]
VOXELS_AT_A_TIME = 1 << 20  # counted at a time: bincount copies to 64 bits
MOST_LABELS = 2**31 - 1  # the graph counts in 32 bits
HEARTBEAT = 0.2


@dataclass(frozen=True)
class Components:
    """The objects of a mask.

    Parameters
    ----------
    block : (int, int, int)
        Shape of a block.
    counts : (B,) int64
        Labels of each block, in the order of ``blocks``.
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


@dataclass(frozen=True)
class Found:
    """What a labelled block sends back: a `sizes` entry for each label, `faces`."""

    sizes: npt.NDArray[np.uint32]
    faces: Faces | Relief


def label_mask(
    mask: npt.NDArray[np.bool_], connectivity: Connectivity
) -> tuple[npt.NDArray[np.uint32], int]:
    """Label one block, (z, y, x): uint32 of the same shape, and how many."""
    shape = mask.shape
    if any(n % 2 for n in shape):
        # cc3d 4.1 has room for one label per eight voxels: isolated ones need even
        # sides.
        mask = np.pad(mask, [(0, n % 2) for n in shape])
    labels, count = cc3d.connected_components(
        mask, connectivity=connectivity, return_N=True, out_dtype=np.uint32
    )
    return np.asarray(labels[tuple(slice(0, n) for n in shape)], np.uint32), int(count)


def find_in_block(source: Source, task: Block) -> Found:
    """Label one block and send back what others need of it."""
    _, _, region = task
    if source.settings.split != "no":
        pieces, relief = relief_of(source, region)
        return Found(_sizes(pieces, len(relief.tops)), relief)
    labels, count = label_mask(source.mask(region), source.settings.connectivity)
    return Found(_sizes(labels, count), Faces.of(labels))


def label_again(
    source: Source, region: Region, mask: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint32], int]:
    """Label a block as it was when objects were searched; `mask` is its mask."""
    if source.settings.split == "no":
        return label_mask(mask, source.settings.connectivity)
    basins, _ = cut_block(source, region)
    return basins.labels, len(basins.peaks)


def find_components(
    source: Source, run: Run, block: Triple | None = None
) -> Generator[Event, None, Components]:
    """Group touching voxels; the generator returns the objects.

    Parameters
    ----------
    source : Source
        The mask.
    run : Run
        Where blocks are labelled.
    block : (int, int, int), optional
        Shape of a block: a multiple of the chunk; None chooses.

    Yields
    ------
    Progress, Tick

    Returns
    -------
    Components

    Raises
    ------
    OutputError
        If there are more pieces than can be numbered.
    """
    block = block or block_shape(source.sides, source.chunk)
    frame = source.stack.frame
    ties = _ties(source, block_grid(source.shape, block, frame))
    places = [index for _, index, _ in blocks(source.shape, block, frame)]
    total = len(places)
    sizes: list[npt.NDArray[np.uint32]] = []
    tasks = blocks(source.shape, block, frame)
    results = run(partial(find_in_block, source), tasks, heartbeat=HEARTBEAT)
    with closing(in_order(results)) as found:
        for item in found:
            if item is None:
                yield Tick()
                continue
            number, result = item
            ties.add(places[number], len(result.sizes), result.faces)
            sizes.append(result.sizes)
            _check_count(ties.nodes)
            yield Progress(number + 1, total, "finding objects")
    return _united(block, sizes, ties)


def exhaust(work: Generator[Event, None, Components]) -> Components:
    """Run a search to its end and hand over what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast("Components", end.value)


def _check_count(pieces: int) -> None:
    if pieces > MOST_LABELS:
        raise OutputError(
            f"The mask falls into {pieces} pieces and more: they cannot be numbered.",
            "Raise the threshold: this looks like noise.",
        )


def _ties(source: Source, grid: Triple) -> Ties:
    settings = source.settings
    rows = grid[0] // source.stack.count
    if settings.split == "no":
        return Ties(settings.connectivity, grid, rows)
    return Seams(settings.connectivity, grid, rows, depth=settings.depth)


def _united(
    block: Triple, sizes: list[npt.NDArray[np.uint32]], ties: Ties
) -> Components:
    counts = np.array([len(each) for each in sizes], np.int64)
    roots = ties.roots()
    summed = np.zeros(int(roots.max(initial=-1)) + 1, np.int64)
    offset = 0
    for each in sizes:
        np.add.at(summed, roots[offset : offset + len(each)], each)
        offset += len(each)
    return Components(block, counts, roots, summed)


def _sizes(labels: IntArray, count: int) -> npt.NDArray[np.uint32]:
    """Voxels of labels 1 to `count`, a few planes at a time."""
    sizes = np.zeros(count + 1, np.int64)
    planes = max(1, VOXELS_AT_A_TIME // max(1, labels[0].size))
    for start in range(0, len(labels), planes):
        part = labels[start : start + planes]
        sizes += np.bincount(part[part > 0], minlength=count + 1)
    return sizes[1:].astype(np.uint32)
