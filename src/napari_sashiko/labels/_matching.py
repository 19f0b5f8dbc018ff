"""Which painted shapes of different planes are one thing that was cut twice."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._outline import Outline
from napari_sashiko.labels._passage import centre_way
from napari_sashiko.labels._planes import Plane, Points

OVERLAP = 0.25  # of the smaller of two shapes: less is touched in passing
ALIKE = 0.7  # of each of two shapes lies on the other when both are laid together
WAVER = 0.1  # of its length: so far a hand strays when it draws a line again
ASIDE = 2.0  # times its width is the widest gap that a shape jumps
CLEAR = 1.5  # times as far is the next that might be meant
SAMPLE = 4096  # voxels that are compared
CROWD = 1 << 20  # pairs of shapes: among so many none is the only one meant

Pair = tuple[int, int]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Link:
    """Shapes of two planes with empty planes between that go into each other.

    Attributes
    ----------
    lower, upper : Plane
        The planes.
    pairs : list of tuple of int
        Name in the lower plane, name in the upper one.
    """

    lower: Plane
    upper: Plane
    pairs: list[Pair]

    def groups(self) -> list[tuple[Points, Points]]:
        """Shapes that go into each other, as few together as possible."""
        from scipy.sparse import coo_array  # noqa: PLC0415 - scipy loads slowly
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

        first = self.lower.count
        rows, columns = np.array(self.pairs).T
        nodes = first + self.upper.count
        ones = np.ones(len(rows), bool)
        graph = coo_array((ones, (rows, columns + first)), shape=(nodes, nodes))
        groups = connected_components(graph, directed=False)[1]
        found = []
        for group in np.unique(groups[rows]):
            inside = groups[rows] == group
            lower = self.lower.shape(rows[inside].tolist())
            found.append((lower, self.upper.shape(columns[inside].tolist())))
        return found


@dataclass
class _Held:
    """A plane, and which of its shapes have nothing that fits yet on one side."""

    plane: Plane
    open: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.open = np.ones(self.plane.count, bool)


class Matcher:
    """Find which shapes go on in a later plane; planes come in their order.

    Strategy: each shape is held until the first plane that has a shape which fits, or
    until too many planes have passed. Two shapes are linked if each is the first that
    fits the other: what is linked does not depend on which way the axis runs.

    Parameters
    ----------
    size : tuple of float
        Voxel size in the plane, along rows and columns.
    thickness : float
        Voxel size from plane to plane.
    most_empty : int
        Most empty planes between two shapes.
    most_slope : float
        How far a shape may move sideways, as a multiple of the way between its planes.
    most_voxels : int
        Most painted voxels that are held; the oldest planes go first.
    """

    def __init__(
        self,
        size: tuple[float, float],
        thickness: float,
        *,
        most_empty: int,
        most_slope: float,
        most_voxels: int,
    ) -> None:
        self._size = size
        self._slope = most_slope * thickness
        self._most_empty = most_empty
        self._most_voxels = most_voxels
        self._held: list[_Held] = []

    def add(self, plane: Plane) -> Iterator[Link | None]:
        """Take the next plane; None is a moment to stop at."""
        self._let_go(plane)
        if not plane.count:  # erased meanwhile
            return
        new = _Held(plane)  # open downwards
        for held in reversed(self._held):
            yield None
            if not (held.open.any() or new.open.any()):
                continue
            pairs = touching(held.plane, plane)
            reach = self._slope * (plane.number - held.plane.number)
            pairs += yield from beside(held, new, pairs, reach, self._size)
            fresh = [(i, j) for i, j in pairs if held.open[i] and new.open[j]]
            for i, j in pairs:
                held.open[i] = new.open[j] = False
            if fresh and plane.number - held.plane.number > 1:
                yield Link(held.plane, plane, fresh)
        self._held.append(_Held(plane))  # open upwards

    def _let_go(self, plane: Plane) -> None:
        first = plane.number - self._most_empty - 1
        self._held = [each for each in self._held if each.plane.number >= first]
        room = self._most_voxels - len(plane.points)
        while self._held and sum(len(e.plane.points) for e in self._held) > room:
            self._held.pop(0)


def touching(lower: Plane, upper: Plane) -> list[Pair]:
    """Pairs of shapes of which the smaller lies on the other by a quarter at least."""
    _, here, there = np.intersect1d(
        lower.flat, upper.flat, assume_unique=True, return_indices=True
    )
    met = np.stack([lower.names[here], upper.names[there]], axis=1)
    pairs, common = np.unique(met, axis=0, return_counts=True)
    least = np.minimum(lower.sizes[pairs[:, 0]], upper.sizes[pairs[:, 1]])
    kept = pairs[common >= OVERLAP * least]
    return [(i, j) for i, j in kept.tolist()]


def beside(
    lower: _Held,
    upper: _Held,
    taken: list[Pair],
    reach: float,
    size: tuple[float, float],
) -> Generator[None, None, list[Pair]]:
    """Pairs of shapes that lie beside each other and are one shape that moved.

    They are near, alike, and for neither is another one nearly as near.

    Parameters
    ----------
    lower, upper : _Held
        Planes; only open shapes count.
    taken : list of tuple of int
        Pairs that touch: their shapes have not moved away.
    reach : float
        Most distance, in units of `size`; nor may it be more than twice their width.
    size : tuple of float
        Voxel size in the plane.
    """
    rows = _free(lower, [i for i, _ in taken])
    columns = _free(upper, [j for _, j in taken])
    if not 0 < len(rows) * len(columns) < CROWD:
        return []
    gaps = _gaps(lower.plane.boxes[rows], upper.plane.boxes[columns], size)
    widest = np.minimum.outer(
        _widest(lower.plane, size)[rows], _widest(upper.plane, size)[columns]
    )
    most = np.minimum(ASIDE * widest + max(size), reach)
    ways = np.full(gaps.shape, np.inf)
    for row, column in np.argwhere(gaps <= most).tolist():
        yield
        one = Outline(lower.plane.shape([rows[row]]), size)
        other = Outline(upper.plane.shape([columns[column]]), size)
        if _is_moved(one, other, reach):
            way = centre_way(one.points, other.points)
            ways[row, column] = float(np.hypot(*(way * one.size)))
    nearest = _is_clear(ways) & _is_clear(ways.T).T
    return [(int(rows[i]), int(columns[j])) for i, j in np.argwhere(nearest)]


def _free(held: _Held, taken: list[int]) -> NDArray[np.int64]:
    free = held.open.copy()
    free[taken] = False
    return np.flatnonzero(free)


def _gaps(
    lower: NDArray[np.int64], upper: NDArray[np.int64], size: tuple[float, float]
) -> NDArray[np.float64]:
    """Distances ``(n, m)`` between boxes ``(n, 2, 2)`` and ``(m, 2, 2)``."""
    low = lower[:, None, 0] - upper[None, :, 1]
    high = upper[None, :, 0] - lower[:, None, 1]
    gaps = np.maximum(np.maximum(low, high), 0) * np.asarray(size)
    return np.asarray(np.hypot(gaps[..., 0], gaps[..., 1]))


def _widest(plane: Plane, size: tuple[float, float]) -> NDArray[np.float64]:
    """Return a width that no shape exceeds: its outline is longer than its box's."""
    sides = (plane.boxes[:, 1] - plane.boxes[:, 0] + 1) * np.asarray(size)
    return np.asarray(plane.sizes * (size[0] * size[1]) / sides.sum(axis=1))


def _is_moved(one: Outline, other: Outline, reach: float) -> bool:
    """Whether a shape is the other one, moved by no more than `reach`."""
    most = min(ASIDE * min(one.width, other.width) + float(one.size.max()), reach)
    if other.distance(_sample(one.edge)).min() > most:
        return False
    laid = other.moved(-centre_way(one.points, other.points))
    near = min(one.width, other.width) / 2 + float(one.size.max())
    near = max(near, WAVER * min(one.length, other.length))
    return all(
        np.mean(theirs.distance(_sample(mine.points)) <= near) >= ALIKE
        for mine, theirs in ((one, laid), (laid, one))
    )


def _sample(points: Points) -> Points:
    return points[:: max(1, len(points) // SAMPLE)]


def _is_clear(ways: NDArray[np.float64]) -> Flags:
    """Where a way is the shortest of its row, and no other is nearly as short."""
    best = ways.argmin(axis=1)
    shortest = ways.min(axis=1)
    rest = ways.copy()
    rest[np.arange(len(ways)), best] = np.inf
    clear = np.isfinite(shortest) & (shortest * CLEAR <= rest.min(axis=1))
    found = np.zeros(ways.shape, bool)
    found[clear, best[clear]] = True
    return found
