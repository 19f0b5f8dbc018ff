"""A shape in a plane: which voxels it has, and how far from its outline others are."""

from collections.abc import Generator, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._planes import Points, flattened, is_dense

STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
AT_ONCE = 1 << 12  # points whose distance is asked of a tree at a time

Distances = NDArray[np.float64]


class Outline:
    """A set of voxels in a plane.

    Strategy: where voxels fill a good part of the box around them, distances are a map
    of the box. Elsewhere a search tree answers, so that cost and memory follow the
    paint. It needs the outline alone: the nearest voxel of a shape, seen from outside,
    has a neighbour outside, and the nearest one outside has a neighbour inside.

    Parameters
    ----------
    points : numpy.ndarray
        ``(n, 2)`` int64 rows and columns in row-major order, at least one.
    size : sequence of float
        Voxel size along rows and columns.
    """

    def __init__(self, points: Points, size: tuple[float, float]) -> None:
        self.points = points
        self.size = np.asarray(size, float)
        self._low = points.min(axis=0) - 1
        self._span = points.max(axis=0) - self._low + 2

    def find(self, points: Points) -> NDArray[np.int64]:
        """Place of each point in `points` of the shape; -1 for those outside."""
        flat = self._flattened(points)
        places = np.minimum(np.searchsorted(self._flat, flat), len(self._flat) - 1)
        found = self._is_near(points) & (self._flat[places] == flat)
        return np.where(found, places, -1)

    def holds(self, points: Points) -> NDArray[np.bool_]:
        """Whether each point belongs to the shape."""
        if self._mask is None:
            return self.find(points) >= 0
        near = self._is_near(points)
        found = np.zeros(len(points), bool)
        found[near] = self._mask[tuple((points[near] - self._low).T)]
        return found

    def moved(self, by: Points) -> "Outline":
        """Return the same shape at another place."""
        return Outline(self.points + by, (self.size[0], self.size[1]))

    @property
    def width(self) -> float:
        """Width of a stroke, about the radius of a disc, in units of the voxel size."""
        area = len(self.points) * float(self.size.prod())
        return 2 * area / self._border[2]

    @property
    def length(self) -> float:
        """Longer side of the box around the shape, in units of the voxel size."""
        return float(((self._span - 2) * self.size).max())

    def pairs(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Places of voxels of the shape that share a face, below and to the right."""
        for step in ((1, 0), (0, 1)):
            there = self.find(self.points + step)
            here = np.flatnonzero(there >= 0)
            yield here, there[here]

    def distance(self, points: Points) -> Distances:
        """Distance of a few points to the shape; 0 inside."""
        far = np.zeros(len(points))
        outside = ~self.holds(points)
        if outside.any():
            far[outside] = self._edge_tree.query(points[outside] * self.size)[0]
        return far

    def nearest(
        self, points: Points
    ) -> Generator[None, None, tuple[Distances, Points]]:
        """Distance of points outside to the shape, and its voxel nearest to each."""
        if not self._is_mapped(points):
            far, places = yield from _asked(self._edge_tree, points * self.size)
            return far, self.edge[places]
        yield
        return self._map(points, inside=False)

    def depth(self, points: Points) -> Generator[None, None, Distances]:
        """Distance of points of the shape to the nearest voxel that is not."""
        if not self._is_mapped(points):
            return (yield from _asked(self._rim_tree, points * self.size))[0]
        yield
        return self._map(points, inside=True)[0]

    @property
    def edge(self) -> Points:
        """Voxels of the shape that have a neighbour outside."""
        return self._border[0]

    @cached_property
    def _border(self) -> tuple[Points, Points, float]:
        """Voxels just inside, those just outside, and the length between them."""
        is_edge = np.zeros(len(self.points), bool)
        rim, length = [], 0.0
        for step in STEPS:
            there = self.points + step
            outside = ~self.holds(there)
            is_edge |= outside
            rim.append(there[outside])
            # A face that is crossed along rows is as long as a voxel is along columns.
            length += float(outside.sum() * (self.size[1] if step[0] else self.size[0]))
        flat = self._flattened(np.concatenate(rim))
        kept = np.unique(flat, return_index=True)[1]
        return self.points[is_edge], np.concatenate(rim)[kept], length

    @cached_property
    def _edge_tree(self) -> Any:
        return _tree(self.edge * self.size)

    @cached_property
    def _rim_tree(self) -> Any:
        return _tree(self._border[1] * self.size)

    @cached_property
    def _flat(self) -> NDArray[np.int64]:
        return self._flattened(self.points)

    @cached_property
    def _mask(self) -> NDArray[np.bool_] | None:
        if not is_dense(self._span, len(self.points)):
            return None
        mask = np.zeros(self._span, bool)
        mask[tuple((self.points - self._low).T)] = True
        return mask

    def _is_near(self, points: Points) -> NDArray[np.bool_]:
        """Whether points are in the box around the shape and its neighbours."""
        inside = (points >= self._low) & (points < self._low + self._span)
        return np.asarray(inside.all(axis=1))

    def _box_with(self, points: Points) -> tuple[Points, Points]:
        """First corner and size of a box with the shape, its neighbours and points."""
        low = np.minimum(self._low, points.min(axis=0))
        high = np.maximum(self._low + self._span, points.max(axis=0) + 1)
        return low, high - low

    def _is_mapped(self, points: Points) -> bool:
        return len(points) > 0 and is_dense(self._box_with(points)[1], len(points))

    def _map(self, points: Points, *, inside: bool) -> tuple[Distances, Points]:
        """Distance of points to the shape, or to what is outside of it, by a map."""
        from scipy import ndimage  # noqa: PLC0415 - scipy loads slowly

        low, span = self._box_with(points)
        away = np.full(span, not inside)
        away[tuple((self.points - low).T)] = inside
        far, nearest = ndimage.distance_transform_edt(
            away, sampling=self.size, return_indices=True
        )
        at = tuple((points - low).T)
        return far[at], np.stack([each[at] for each in nearest], axis=1) + low

    def _flattened(self, points: Points) -> NDArray[np.int64]:
        return flattened(points - self._low, int(self._span[1]))


def _tree(places: Distances) -> Any:
    from scipy.spatial import KDTree  # noqa: PLC0415 - scipy loads slowly

    return KDTree(places)


def _asked(
    tree: Any, places: Distances
) -> Generator[None, None, tuple[Distances, NDArray[np.int64]]]:
    """Distance to, and number of, the nearest point of a tree; yields in between."""
    far = np.zeros(len(places))
    which = np.zeros(len(places), np.int64)
    for start in range(0, len(places), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        far[part], which[part] = tree.query(places[part])
        yield
    return far, which
