"""Blocks spread over a volume, and places spread over it."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from napari_sashiko.patches import equal_cells
from napari_sashiko.prediction.events import Place
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.volumes import Region, frames_apart

BASES = (2, 3, 5)
SLABS = 5  # of equal depth
SHARE = 0.4  # of a list that one of them may fill while others have something


def spread_blocks(
    shape: Triple, size: Triple, count: int, seed: int, frame: int | None = None
) -> Iterator[Region]:
    """Pick blocks of a volume that lie far apart, whenever one stops.

    Strategy: the sequence of Halton (Numer. Math. 2, 84, 1960), shifted at random; each
    of its points picks the block that it lies in. The first of them are spread over all
    axes as evenly as all of them, so that a search may end at any time.

    Parameters
    ----------
    shape, size : (int, int, int)
        Volume and block, voxels.
    count : int
        How many, or all that there are.
    seed : int
        Decides how far the sequence is shifted.
    frame : int, optional
        Slices of a frame: no block lies in two.

    Yields
    ------
    Region
        No block twice; none overlaps another.
    """
    cells = equal_cells(shape, size, frame)
    grid = np.array([len(axis) for axis in cells.axes])
    shift = np.random.default_rng(seed).random(3)
    seen: set[tuple[int, ...]] = set()
    for number in itertools.count():
        if len(seen) == min(count, len(cells)):
            return
        point = (shift + [_mirrored(number, base) for base in BASES]) % 1.0
        index = tuple(int(i) for i in np.minimum(point * grid, grid - 1))
        if index not in seen:
            seen.add(index)
            yield cells[index].cell  # type: ignore[index]


def _mirrored(number: int, base: int) -> float:
    """Digits of a number behind the point, the last one first."""
    value, share = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        share /= base
        value += digit * share
    return value


def even_size(shape: Triple, most: Triple) -> Triple:
    """Size of blocks of about equal size, at most `most` each."""
    z, y, x = (
        math.ceil(n / math.ceil(n / m)) for n, m in zip(shape, most, strict=True)
    )
    return z, y, x


def block_count(shape: Triple, size: Triple, frame: int | None = None) -> int:
    """How many blocks a volume has."""
    return len(equal_cells(shape, size, frame))


def choose(
    candidates: Iterable[Place],
    *,
    count: int,
    apart: float,
    scale: Sequence[float],
    depth: int,
    frame: int | None = None,
) -> list[Place]:
    """Take the best places that are not too near to a better one.

    No fifth of the depth fills more than two fifths of the list, unless the others have
    nothing left.

    Parameters
    ----------
    candidates : iterable of Place
        In any order.
    count : int
        How many at most.
    apart : float
        Least distance, in the unit of `scale`.
    scale : sequence of float
        Size of a voxel (z, y, x).
    depth : int
        Slices of the volume.
    frame : int, optional
        Slices of a frame: places in two are not near to each other.

    Returns
    -------
    list of Place
        From the highest score down.
    """
    ranked = sorted(candidates, key=_rank)
    most, taken = math.ceil(SHARE * count), Counter[int]()
    chosen = _Chosen(count, apart, scale, frame)
    later = []
    for place in ranked:
        slab = place.coords[0] * SLABS // depth
        if taken[slab] == most:
            later.append(place)
        else:
            taken[slab] += chosen.take(place)
    for place in later:
        chosen.take(place)
    return sorted(chosen.places, key=_rank)


class _Chosen:
    """Places that keep their distance."""

    def __init__(
        self, count: int, apart: float, scale: Sequence[float], frame: int | None
    ) -> None:
        self.places: list[Place] = []
        self._frame, self._gap = frame, apart / scale[0]
        self._count, self._apart, self._scale = count, apart, np.array(scale)
        self._points = np.zeros((count, 3))

    def take(self, place: Place) -> bool:
        """Take a place if there is room for it and it is far from the others."""
        number = len(self.places)
        coords = np.array([place.coords])
        point = frames_apart(coords, self._frame, self._gap)[0] * self._scale
        gaps = np.linalg.norm(self._points[:number] - point, axis=1)
        if number == self._count or (gaps < self._apart).any():
            return False
        self._points[number] = point
        self.places.append(place)
        return True


def _rank(place: Place) -> tuple[float, Triple]:
    return -place.score, place.coords
