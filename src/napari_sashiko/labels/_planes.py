"""The paint of one class, plane by plane: only blocks with it are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._keys import Box, Shape
from napari_sashiko.labels.labelled import LabelledVoxels
from napari_sashiko.labels.strokes import stroke_components

Points = NDArray[np.int64]  # (n, 2): row, column
DENSE = 128  # voxels of a box for each that matters: up to here an array is faster
LARGEST = 1 << 23  # voxels of a box
TOUCHING = np.ones((3, 3), bool)


class Painted(Protocol):
    """Paint that is read by blocks; a label store is."""

    shape: Shape
    array: Any

    def blocks_of(self, class_id: int) -> Sequence[Box]:
        """Boxes that hold all paint of a class."""
        ...


@dataclass(frozen=True)
class Plane:
    """The shapes of one class in one plane: paint that touches, corners too.

    Attributes
    ----------
    number : int
        Place of the plane on its axis.
    width : int
        Columns of the plane.
    points : numpy.ndarray
        ``(n, 2)`` int64, row and column of the painted voxels, in row-major order.
    names : numpy.ndarray
        ``(n,)`` int64, the shape of each, 0..count-1.
    """

    number: int
    width: int
    points: Points
    names: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many shapes there are."""
        return len(self.sizes)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Voxels of each shape."""
        return np.bincount(self.names)

    @cached_property
    def flat(self) -> NDArray[np.int64]:
        """Return places in the plane as single numbers; they increase."""
        return flattened(self.points, self.width)

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """Lowest and highest row and column of each shape, ``(count, 2, 2)``."""
        low = np.full((self.count, 2), np.iinfo(np.int64).max)
        high = np.full((self.count, 2), -1)
        np.minimum.at(low, self.names, self.points)
        np.maximum.at(high, self.names, self.points)
        return np.stack([low, high], axis=1)

    def shape(self, names: Sequence[int]) -> Points:
        """Voxels of one shape, or of several together."""
        wanted = np.zeros(self.count, bool)
        wanted[list(names)] = True
        return self.points[wanted[self.names]]


class ClassPlanes:
    """Where a class is painted, and its shapes in each plane.

    Parameters
    ----------
    paint : Painted
        The paint; it may change meanwhile.
    class_id : int
        Which class.
    axis : int
        Axis (0, 1, 2 for z, y, x) that the planes follow each other along.
    """

    def __init__(self, paint: Painted, class_id: int, axis: int) -> None:
        self.class_id = class_id
        self._paint = paint
        self._axis = axis
        self._across = [each for each in range(3) if each != axis]
        self._boxes: dict[int, list[Box]] = {}
        self._counts: dict[int, int] = {}

    def find(self) -> Iterator[None]:
        """Look where the class is, block by block; yields after each."""
        for box in self._paint.blocks_of(self.class_id):
            part = np.asarray(self._paint.array[box]) == self.class_id
            counts = np.count_nonzero(part, axis=tuple(self._across))
            for place in np.flatnonzero(counts).tolist():
                number = box[self._axis].start + place
                self._boxes.setdefault(number, []).append(box)
                known = self._counts.get(number, 0)
                self._counts[number] = known + int(counts[place])
            yield

    @property
    def numbers(self) -> list[int]:
        """Planes with paint of the class, in order."""
        return sorted(self._boxes)

    def count(self, number: int) -> int:
        """Painted voxels of a plane when it was found."""
        return self._counts[number]

    def read(self, number: int) -> Plane:
        """Read the shapes of a plane."""
        boxes = [[box[each] for each in self._across] for box in self._boxes[number]]
        corners = np.array([[(s.start, s.stop) for s in box] for box in boxes])
        low, high = corners[..., 0].min(axis=0), corners[..., 1].max(axis=0)
        parts = [self._part(box, number) for box in self._boxes[number]]
        if is_dense(high - low, self.count(number)):
            points, names = _shapes_of_mask(parts, boxes, low, high)
        else:
            points, names = self._strokes(parts, boxes)
        return Plane(number, self._paint.shape[self._across[1]], points, names)

    def _part(self, box: Box, number: int) -> NDArray[np.bool_]:
        sides: list[Any] = list(box)
        sides[self._axis] = number
        part = np.asarray(self._paint.array[tuple(sides)])
        return np.asarray(part == self.class_id)

    def _strokes(
        self, parts: Sequence[NDArray[np.bool_]], boxes: Sequence[Sequence[slice]]
    ) -> tuple[Points, NDArray[np.int64]]:
        """Find shapes among few voxels that lie far apart."""
        starts = ([side.start for side in box] for box in boxes)
        found = [np.argwhere(p) + s for p, s in zip(parts, starts, strict=True)]
        points = np.concatenate(found)
        height, width = (self._paint.shape[each] for each in self._across)
        points = points[np.argsort(flattened(points, width))]
        coords = np.zeros((len(points), 3), np.int32)
        coords[:, 1:] = points
        ones = np.ones(len(points), np.uint8)
        strokes = LabelledVoxels(coords, ones, (1, height, width))
        return points, stroke_components(strokes)


def _shapes_of_mask(
    parts: Sequence[NDArray[np.bool_]],
    boxes: Sequence[Sequence[slice]],
    low: Points,
    high: Points,
) -> tuple[Points, NDArray[np.int64]]:
    """Find shapes among many voxels, in the box around them."""
    from scipy import ndimage  # noqa: PLC0415 - scipy loads slowly

    mask = np.zeros(high - low, bool)
    for part, (rows, columns) in zip(parts, boxes, strict=True):
        mask[
            rows.start - low[0] : rows.stop - low[0],
            columns.start - low[1] : columns.stop - low[1],
        ] = part
    points = np.argwhere(mask)
    names = ndimage.label(mask, TOUCHING)[0][tuple(points.T)]
    return points + low, names.astype(np.int64) - 1


def is_dense(box: Points, count: int) -> bool:
    """Whether `count` voxels in a box of this size are better looked at in an array."""
    return int(box.prod()) <= min(DENSE * count, LARGEST)


def flattened(points: Points, width: int) -> NDArray[np.int64]:
    """Row and column as one number; `width` is the number of columns."""
    return points[:, 0] * width + points[:, 1]
