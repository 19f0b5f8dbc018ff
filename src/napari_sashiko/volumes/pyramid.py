"""Coarser levels of an image that is finished, so that viewers need not read all of it.

Strategy: a level is made of the one before, block by block, each block one chunk on
disk. It is listed in the image's metadata when all of it is there: who reads meanwhile
sees fewer levels, never half of one, and the next run makes what is missing.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray

from napari_sashiko.runners import Event, Progress, Run, Tick
from napari_sashiko.volumes.ome_zarr import create_level, list_levels, ome_levels
from napari_sashiko.volumes.temporary import remove

MOST = 256  # voxels along an axis that a viewer may read at once
LEAST = 64  # voxels along an axis that is not made coarser
ALIKE = 1.5  # ratio of voxel sizes that counts as equal
CHUNKS = {2: (512, 512), 3: (16, 128, 128)}
HEARTBEAT = 0.2

How = Literal["mean", "commonest"]
Box = tuple[slice, ...]


@dataclass(frozen=True)
class Halving:
    """Makes blocks of one level from the level before, known by paths in any process.

    Parameters
    ----------
    source, target : Path
        Arrays of the level before and of this one.
    steps : tuple of int
        2 along axes that are made coarser, else 1.
    how : {"mean", "commonest"}
        What a voxel gets of those that it covers.
    """

    source: Path
    target: Path
    steps: tuple[int, ...]
    how: How

    def __call__(self, box: Box) -> None:
        """Write one block of the coarser level."""
        source = zarr.open_array(str(self.source), mode="r")
        wanted = [
            slice(side.start * step, side.stop * step)
            for side, step in zip(box, self.steps, strict=True)
        ]
        fine = np.asarray(source[tuple(wanted)])
        # At the far end a voxel covers fewer: the last one counts for those beyond.
        lacking = [
            (0, side.stop - side.start - size)
            for side, size in zip(wanted, fine.shape, strict=True)
        ]
        fine = np.pad(fine, lacking, mode="edge")
        halve = mean_of if self.how == "mean" else commonest_of
        target = zarr.open_array(str(self.target), mode="r+")
        target[box] = halve(fine, self.steps)


def write_levels(image: Path, how: How, run: Run) -> Iterator[Event]:
    """Write the coarser levels that an image lacks; closing keeps whole ones.

    Parameters
    ----------
    image : Path
        Folder of an image made by `create_ome_image`, finished.
    how : {"mean", "commonest"}
        Means for numbers, the commonest for names, such as classes and labels.
    run : Run
        Where blocks are made.

    Yields
    ------
    Progress, Tick
    """
    group = zarr.open_group(str(image), mode="r+")
    finest: Any = group["0"]
    sizes = _sizes(group)
    planned = planned_factors(group)
    for level in range(_listed(group), len(planned)):
        pairs = zip(planned[level], planned[level - 1], strict=True)
        steps = tuple(factor // before for factor, before in pairs)
        shape = _shape(finest.shape, planned[level])
        chunks = _chunks(shape, sizes)
        create_level(group, level, shape, chunks)
        work = Halving(image / str(level - 1), image / str(level), steps, how)
        boxes = list(_boxes(shape, chunks))
        done = 0
        with contextlib.closing(run(work, boxes, heartbeat=HEARTBEAT)) as written:
            for item in written:
                if item is None:
                    yield Tick()
                    continue
                done += 1
                yield Progress(done, len(boxes), f"level {level} of {image.name}")
        list_levels(group, planned[: level + 1])


def drop_levels(image: Path) -> None:
    """Forget the coarser levels of an image, whose voxels are about to change."""
    group = zarr.open_group(str(image), mode="r+")
    if _listed(group) > 1:
        finest: Any = group["0"]
        list_levels(group, [(1,) * finest.ndim])
    for level in image.iterdir():
        if level.name.isdecimal() and level.name != "0":
            remove(level)


def open_levels(image: Path) -> tuple[Any, ...]:
    """Open all levels of an image, the finest first."""
    group = zarr.open_group(str(image), mode="r")
    return tuple(group[str(level)] for level in range(_listed(group)))


def planned_factors(group: zarr.Group) -> list[tuple[int, ...]]:
    """Levels that an image will have when it is finished; see `factors_of`."""
    finest: Any = group["0"]
    return factors_of(finest.shape, _sizes(group))


def factors_of(
    shape: Sequence[int], voxel_size: Sequence[float]
) -> list[tuple[int, ...]]:
    """Choose levels: voxels of the finest in one of theirs, until all is small.

    Axes with the smallest voxels are halved first, so that voxels become cubes.

    Parameters
    ----------
    shape : sequence of int
        Of the finest level.
    voxel_size : sequence of float
        By axis; 0 for axes that are not space.

    Returns
    -------
    list of tuple of int
        From level 0 on, which is all ones.
    """
    levels = [(1,) * len(shape)]
    while True:
        now = _shape(shape, levels[-1])
        sizes = [s * f for s, f in zip(voxel_size, levels[-1], strict=True)]
        spatial = [n for n, size in zip(now, sizes, strict=True) if size]
        may = [size for n, size in zip(now, sizes, strict=True) if size and n > LEAST]
        if max(spatial) <= MOST or not may:
            return levels
        halved = [
            bool(size) and n > LEAST and size <= ALIKE * min(may)
            for n, size in zip(now, sizes, strict=True)
        ]
        pairs = zip(levels[-1], halved, strict=True)
        levels.append(tuple(f * (2 if half else 1) for f, half in pairs))


def mean_of(fine: NDArray[Any], steps: Sequence[int]) -> NDArray[Any]:
    """Mean over blocks of `steps` voxels, in the type of `fine`."""
    parts = [
        part
        for size, step in zip(fine.shape, steps, strict=True)
        for part in (size // step, step)
    ]
    axes = tuple(range(1, len(parts), 2))
    means = fine.astype(np.float32).reshape(parts).mean(axis=axes)
    return np.asarray(means.astype(fine.dtype))


def commonest_of(fine: NDArray[Any], steps: Sequence[int]) -> NDArray[Any]:
    """Commonest number in blocks of `steps` voxels; of two as common one that is not 0.

    What is thin would vanish behind its background otherwise.
    """
    corners = [
        fine[
            tuple(slice(at, None, step) for at, step in zip(corner, steps, strict=True))
        ]
        for corner in product(*(range(step) for step in steps))
    ]
    best = corners[0]
    most = np.zeros(best.shape, np.uint8)
    for corner in corners:
        votes = np.zeros(best.shape, np.uint8)
        for other in corners:
            votes += corner == other
        votes = 2 * votes + (corner != 0)
        best = np.where(votes > most, corner, best)
        np.maximum(most, votes, out=most)
    return best


def _listed(group: zarr.Group) -> int:
    multiscale = ome_levels(group)
    return len(multiscale["datasets"]) if multiscale else 1


def _sizes(group: zarr.Group) -> list[float]:
    """Voxel size by axis; 0 for channels."""
    multiscale: Any = ome_levels(group)
    scale = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
    return [
        size if axis["type"] == "space" else 0.0
        for size, axis in zip(scale, multiscale["axes"], strict=True)
    ]


def _shape(shape: Sequence[int], factors: Sequence[int]) -> tuple[int, ...]:
    return tuple(-(-n // factor) for n, factor in zip(shape, factors, strict=True))


def _chunks(shape: Sequence[int], voxel_size: Sequence[float]) -> tuple[int, ...]:
    """A channel, and a part of its space that is quick to read."""
    edges = iter(CHUNKS[sum(1 for size in voxel_size if size)])
    return tuple(
        min(n, next(edges)) if size else 1
        for n, size in zip(shape, voxel_size, strict=True)
    )


def _boxes(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[Box]:
    starts = (range(0, n, chunk) for n, chunk in zip(shape, chunks, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(start, min(start + chunk, n))
            for start, chunk, n in zip(corner, chunks, shape, strict=True)
        )
