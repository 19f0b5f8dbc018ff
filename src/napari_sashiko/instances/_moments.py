"""Sums over the voxels of each object, collected block by block.

Strategy: sums of coordinates and of their products give centroid and covariance in one
pass; the main axis follows, and the reach along it is a minimum and a maximum over one
more pass. Nothing is held but a few numbers for each object.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._source import Region

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Labels = npt.NDArray[np.uint32]
PRODUCTS = tuple(combinations_with_replacement(range(3), 2))
VOXELS_AT_A_TIME = 1 << 19
FAR = np.iinfo(np.int64).max


@dataclass
class Moments:
    """Sums for labels 1 to N; row 0 is unused.

    Parameters
    ----------
    voxels : (N + 1,) int64
    sums : (N + 1, 3) float64
        Coordinates in voxels.
    products : (N + 1, 6) float64
        zz, zy, zx, yy, yx, xx.
    mean, std : (N + 1,) float64
        Probability and deviation.
    low, high : (N + 1, 3) int64
        First voxel, and one after the last.
    """

    voxels: IntArray
    sums: FloatArray
    products: FloatArray
    mean: FloatArray
    std: FloatArray
    low: IntArray
    high: IntArray

    @classmethod
    def empty(cls, count: int) -> "Moments":
        """No voxels yet for labels 1 to `count`."""
        rows = count + 1
        return cls(
            np.zeros(rows, np.int64),
            np.zeros((rows, 3)),
            np.zeros((rows, 6)),
            np.zeros(rows),
            np.zeros(rows),
            np.full((rows, 3), FAR),
            np.zeros((rows, 3), np.int64),
        )

    def add(self, sums: "Sums") -> None:
        """Add one block; blocks in one order give one sum."""
        names = sums.names
        np.minimum.at(self.low, names, sums.low)
        np.maximum.at(self.high, names, sums.high)
        np.add.at(self.voxels, names, sums.rows[:, 0].astype(np.int64))
        np.add.at(self.sums, names, sums.rows[:, 1:4])
        np.add.at(self.products, names, sums.rows[:, 4:10])
        np.add.at(self.mean, names, sums.rows[:, 10])
        np.add.at(self.std, names, sums.rows[:, 11])

    def centroids(self) -> FloatArray:
        """(N, 3) in voxels; the first voxel's centre is 0."""
        return self.sums[1:] / self.voxels[1:, None]

    def axes(self, voxel_size: FloatArray) -> FloatArray:
        """Find the main axes: unit vectors (N, 3) in physical space, z, y, x.

        The eigenvector of the covariance with the largest eigenvalue; its first entry
        that is not zero is positive.
        """
        centre = self.centroids()
        covariance = np.empty((len(centre), 3, 3))
        for column, (a, b) in enumerate(PRODUCTS):
            value = self.products[1:, column] / self.voxels[1:]
            value -= centre[:, a] * centre[:, b]
            covariance[:, a, b] = value * voxel_size[a] * voxel_size[b]
            covariance[:, b, a] = covariance[:, a, b]
        axes = np.linalg.eigh(covariance)[1][:, :, -1]
        axes[np.abs(axes) < 1e-12] = 0.0
        first = np.argmax(axes != 0, axis=1)
        signs = np.sign(np.take_along_axis(axes, first[:, None], axis=1))
        return np.asarray(axes * signs)


@dataclass(frozen=True)
class Sums:
    """Sums over the voxels of one block, a row for each kept label.

    Parameters
    ----------
    names : (k,) uint32
        Final labels; one may come several times.
    low, high : (k, 3) int64
        First voxel, and one after the last.
    rows : (k, 12) float64
        Voxels, coordinates, products of coordinates, mean, deviation.
    """

    names: Labels
    low: IntArray
    high: IntArray
    rows: FloatArray


def sums_of(
    region: Region,
    labels: Labels,
    names: Labels,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> Sums:
    """Sum over the voxels of one block.

    Parameters
    ----------
    region : Region
        Where the block lies.
    labels : (z, y, x) uint32
        Labels of the block, 0 to n.
    names : (n + 1,) uint32
        Label in the whole volume; 0 for what is not kept.
    mean, std : (z, y, x) float32
    """
    origin = np.array([part.start for part in region])
    found = cc3d.statistics(labels, no_slice_conversion=True)
    boxes = found["bounding_boxes"].astype(np.int64).reshape(-1, 3, 2)
    there = np.flatnonzero(found["voxel_counts"][: len(boxes)])
    there = there[names[there] > 0]
    kept = names > 0
    rows = np.zeros((len(names), 12))
    planes = max(1, VOXELS_AT_A_TIME // labels[0].size)
    for start in range(0, len(labels), planes):
        part = slice(start, start + planes)
        _add_rows(rows, start, labels[part], kept, mean[part], std[part])
    return Sums(
        names[there],
        boxes[there, :, 0] + origin,
        boxes[there, :, 1] + 1 + origin,
        _moved(rows[there], origin.astype(float)),
    )


def _moved(rows: FloatArray, origin: FloatArray) -> FloatArray:
    """Sums about the first voxel of the volume, from those about `origin`."""
    voxels, sums = rows[:, :1], rows[:, 1:4]
    moved = rows.copy()
    moved[:, 1:4] += origin * voxels
    for column, (a, b) in enumerate(PRODUCTS, 4):
        moved[:, column] += (
            origin[a] * sums[:, b]
            + origin[b] * sums[:, a]
            + origin[a] * origin[b] * voxels[:, 0]
        )
    return moved


def _add_rows(
    rows: FloatArray,
    first_plane: int,
    labels: Labels,
    kept: npt.NDArray[np.bool_],
    *values: npt.NDArray[np.float32],
) -> None:
    """Add voxel count, sums, products and `values` to the rows of `labels`."""
    where = np.nonzero(kept[labels])
    which = labels[where]
    coordinates = [axis.astype(np.float64) for axis in where]
    coordinates[0] += first_plane
    products = [coordinates[a] * coordinates[b] for a, b in PRODUCTS]
    weights: list[Any] = [*coordinates, *products, *(each[where] for each in values)]
    rows[:, 0] += np.bincount(which, minlength=len(rows))
    for column, weight in enumerate(weights, 1):
        rows[:, column] += np.bincount(which, weight, minlength=len(rows))


class Reach:
    """Least and greatest position of each object along its main axis.

    Parameters
    ----------
    axes : (N, 3) float64
        Unit vectors in physical space.
    voxel_size : (3,) float64
        z, y, x.
    """

    def __init__(self, axes: FloatArray, voxel_size: FloatArray) -> None:
        self._steps = np.concatenate([np.zeros((1, 3)), axes * voxel_size])
        self._low = np.full(len(self._steps), np.inf)
        self._high = np.full(len(self._steps), -np.inf)

    def steps(self, names: Labels) -> FloatArray:
        """What one voxel along z, y, x adds to the position, (k, 3)."""
        return np.asarray(self._steps[names])

    def add(self, names: Labels, low: FloatArray, high: FloatArray) -> None:
        """Add the ends of the objects `names` in one block."""
        self._low[names] = np.minimum(self._low[names], low)
        self._high[names] = np.maximum(self._high[names], high)

    def lengths(self) -> FloatArray:
        """End-to-end length (N,): of the voxels as boxes, not of their centres."""
        box = np.abs(self._steps).sum(axis=1)
        return np.asarray((self._high - self._low + box)[1:])


def ends_along(
    region: Region, labels: Labels, names: Labels, steps: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Least and greatest position of objects along their axes in one block.

    Parameters
    ----------
    region : Region
        Where the block lies.
    labels : (z, y, x) uint32
        Final labels.
    names : (k,) uint32
        The labels that are there, ascending.
    steps : (k, 3) float64
        What one voxel along z, y, x adds to the position.

    Returns
    -------
    low, high : (k,) float64
    """
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    planes = max(1, VOXELS_AT_A_TIME // labels[0].size)
    for start in range(0, len(labels), planes):
        part = labels[start : start + planes]
        where = np.nonzero(part)
        which = np.searchsorted(names, part[where])
        origin = [side.start for side in region]
        origin[0] += start
        along = sum(
            (axis + begin) * steps[which, i]
            for i, (axis, begin) in enumerate(zip(where, origin, strict=True))
        )
        np.minimum.at(low, which, along)
        np.maximum.at(high, which, along)
    return low, high
