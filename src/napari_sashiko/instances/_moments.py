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

    def add(
        self,
        region: Region,
        labels: npt.NDArray[np.uint32],
        final: npt.NDArray[np.uint32],
        mean: npt.NDArray[np.float32],
        std: npt.NDArray[np.float32],
    ) -> None:
        """Add the voxels of one block.

        Parameters
        ----------
        region : Region
            Where the block lies.
        labels : (z, y, x) uint32
            Labels of the block, 0 to n.
        final : (n + 1,) uint32
            Label in the whole volume; 0 for what is not kept.
        mean, std : (z, y, x) float32
        """
        origin = np.array([part.start for part in region])
        self._add_boxes(origin, labels, final)
        kept = final > 0
        rows = np.zeros((len(final), 12))
        planes = max(1, VOXELS_AT_A_TIME // labels[0].size)
        for start in range(0, len(labels), planes):
            part = slice(start, start + planes)
            _add_rows(rows, start, labels[part], kept, mean[part], std[part])
        self._add_rows(origin.astype(float), rows, final)

    def _add_boxes(self, origin: IntArray, labels: Labels, final: Labels) -> None:
        found = cc3d.statistics(labels, no_slice_conversion=True)
        boxes = found["bounding_boxes"].astype(np.int64).reshape(-1, 3, 2)
        there = np.flatnonzero(found["voxel_counts"][: len(boxes)])
        there = there[final[there] > 0]
        np.minimum.at(self.low, final[there], boxes[there, :, 0] + origin)
        np.maximum.at(self.high, final[there], boxes[there, :, 1] + 1 + origin)

    def _add_rows(self, origin: FloatArray, rows: FloatArray, final: Labels) -> None:
        voxels, sums = rows[:, :1], rows[:, 1:4]
        products = np.empty((len(rows), 6))
        for column, (a, b) in enumerate(PRODUCTS):
            products[:, column] = (
                rows[:, 4 + column]
                + origin[a] * sums[:, b]
                + origin[b] * sums[:, a]
                + origin[a] * origin[b] * voxels[:, 0]
            )
        np.add.at(self.voxels, final, voxels[:, 0].astype(np.int64))
        np.add.at(self.sums, final, sums + origin * voxels)
        np.add.at(self.products, final, products)
        np.add.at(self.mean, final, rows[:, 10])
        np.add.at(self.std, final, rows[:, 11])

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

    def add(self, region: Region, labels: Labels) -> None:
        """Add the voxels of one block of final labels."""
        planes = max(1, VOXELS_AT_A_TIME // labels[0].size)
        for start in range(0, len(labels), planes):
            part = labels[start : start + planes]
            where = np.nonzero(part)
            which = part[where]
            steps = self._steps[which]
            origin = [r.start for r in region]
            origin[0] += start
            along = sum(
                (axis + begin) * steps[:, i]
                for i, (axis, begin) in enumerate(zip(where, origin, strict=True))
            )
            np.minimum.at(self._low, which, along)
            np.maximum.at(self._high, which, along)

    def lengths(self) -> FloatArray:
        """End-to-end length (N,): of the voxels as boxes, not of their centres."""
        box = np.abs(self._steps).sum(axis=1)
        return np.asarray((self._high - self._low + box)[1:])
