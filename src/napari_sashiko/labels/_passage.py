"""How a shape in one plane becomes another one, planes away."""

from collections.abc import Callable, Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels._outline import Distances, Outline
from napari_sashiko.labels._planes import Points

TORN = 2.0  # voxels: neighbours that come apart by more are not held together

# Voxels of the shape after so many of so many planes; some may come twice.
Passage = Callable[[int, int], Points]


def passage(
    first: Points, second: Points, size: tuple[float, float]
) -> Generator[None, None, Passage]:
    """Prepare all shapes between two shapes; yields in between.

    Strategy: the second shape is laid onto the first, centre on centre, if more of them
    is common then. In between, the shape is where the signed distance is not negative
    (Raya & Udupa, IEEE TMI 9, 32 (1990); on better distances Herman, Zheng & Bucholtz,
    IEEE CG&A 12 (3), 69 (1992); here they are Euclidean, in units of the voxel size)::

        S_t = (1 - t) S_first + t S_second,  0 < t < 1

    and it is moved by t of the way. Voxels of both shapes always have S_t > 0, those of
    neither never, so distances are computed only for voxels of one of them.

    Where strokes still lie beside each other by more than their width, S_t has nothing
    in the middle. There each voxel travels straight to the nearest voxel of the other
    stroke, from both sides: between parallel edges that is the same.

    Parameters
    ----------
    first, second : numpy.ndarray
        ``(n, 2)`` int64 rows and columns in row-major order.
    size : tuple of float
        Voxel size along rows and columns.
    """
    # One order for both ways, so that nothing depends on which way the axis runs.
    turned = _order(second) < _order(first)
    one, other = (
        Outline(points, size)
        for points in ((second, first) if turned else (first, second))
    )
    way = _way(one, other)
    shape = yield from _on_the_spot(one, other.moved(-way))

    def at(step: int, steps: int) -> Points:
        done = steps - step if turned else step
        moved = (2 * way * done + steps) // (2 * steps)
        return shape(done, steps) + moved

    return at


def centre_way(first: Points, second: Points) -> Points:
    """Whole voxels from the centre of one shape to the centre of another."""
    way = np.rint(second.mean(axis=0) - first.mean(axis=0))
    return np.asarray(way, np.int64)


def _order(points: Points) -> tuple[int, bytes]:
    return len(points), points.tobytes()


def _way(one: Outline, other: Outline) -> Points:
    way = centre_way(one.points, other.points)
    if not way.any():
        return way
    common = np.count_nonzero(other.holds(one.points))
    better = np.count_nonzero(other.moved(-way).holds(one.points)) > common
    return way if better else np.zeros_like(way)


def _on_the_spot(one: Outline, other: Outline) -> Generator[None, None, Passage]:
    """Between two shapes that were laid onto each other."""
    is_common = other.holds(one.points)
    common, ones = one.points[is_common], one.points[~is_common]
    others = other.points[~one.holds(other.points)]
    far_ones, to_other = yield from other.nearest(ones)
    far_others, to_one = yield from one.nearest(others)
    aside = min(far_ones.max(initial=0), far_others.max(initial=0))
    if aside > min(one.width, other.width):
        return _travelling(one, to_other, other, to_one)
    deep_ones = yield from one.depth(ones)
    deep_others = yield from other.depth(others)

    def shape(step: int, steps: int) -> Points:
        rest = steps - step
        stay = rest * deep_ones >= step * far_ones
        come = step * deep_others >= rest * far_others
        return np.concatenate([common, ones[stay], others[come]])

    return shape


def _travelling(
    one: Outline, to_other: Points, other: Outline, to_one: Points
) -> Passage:
    """Voxels of both shapes on their way; common ones stay where they are."""
    ways = (_ways(one, other, to_other), _ways(other, one, to_one))
    pairs = (list(one.pairs()), list(other.pairs()))

    def shape(step: int, steps: int) -> Points:
        ours = _moved(one.points + step / steps * ways[0], pairs[0])
        theirs = _moved(other.points + (1 - step / steps) * ways[1], pairs[1])
        return np.floor(np.concatenate([ours, theirs]) + 0.5).astype(np.int64)

    return shape


def _ways(mine: Outline, theirs: Outline, targets: Points) -> Points:
    ways = np.zeros_like(mine.points)
    lone = ~theirs.holds(mine.points)
    ways[lone] = targets - mine.points[lone]
    return ways


def _moved(
    places: Distances, pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> Distances:
    return np.concatenate([places, *_middles(places, pairs)])


def _middles(
    places: Distances, pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> Iterator[Distances]:
    """Middles of neighbours: where a stroke is stretched it has no holes."""
    for here, there in pairs:
        one, other = places[here], places[there]
        held = np.abs(one - other).max(axis=1, initial=0) <= TORN
        yield (one[held] + other[held]) / 2
