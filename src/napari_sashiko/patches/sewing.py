"""Cutting patches out of an array and sewing them together again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import PlanError
from napari_sashiko.patches.windows import Grid, inner_spans
from napari_sashiko.volumes import Region


def extract(array: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Cut ``(C, Z, Y, X)`` into patches ``(n, C, z, y, x)`` in the grid's order."""
    if tuple(array.shape[1:]) != tuple(grid.shape):
        raise PlanError(
            f"An array of shape {array.shape[1:]} does not fit a grid over "
            f"{grid.shape}."
        )
    return np.stack([array[(slice(None), *region)] for region in grid])


def border_weights(
    grid: Grid, border: Sequence[int], border_weight: float
) -> tuple[list[NDArray[np.float64]], ...]:
    """Weights of each window's voxels along each axis: the separable factors.

    Voxels within `border` of a face have weight `border_weight`, the rest 1; faces on
    the volume's own boundary are not borders (qlty, arXiv 2407.04920, section 2).

    Returns
    -------
    tuple of list of numpy.ndarray
        Per axis and window, ``(size,)``; a voxel's weight is the smallest of its three.

    Raises
    ------
    PlanError
        If the weight is not in [0, 1], or windows with weight 0 at their borders would
        leave voxels uncovered.
    """
    if not 0 <= border_weight <= 1:
        raise PlanError(f"A border weight of {border_weight} is not in [0, 1].")
    if any(b < 0 for b in border):
        raise PlanError(f"A border of {tuple(border)} is negative.")
    factors = []
    for axis in range(3):
        spans = inner_spans(grid, axis, border[axis])
        if border_weight == 0 and _has_gap(spans):
            raise PlanError(
                f"Windows of {grid.size[axis]} with step {grid.step[axis]} and a "
                f"border of {border[axis]} of weight 0 leave voxels uncovered.",
                "Take a smaller border or step, or a weight above 0.",
            )
        factors.append(
            [
                _profile(start, grid.size[axis], span, border_weight)
                for start, span in zip(grid.starts[axis], spans, strict=True)
            ]
        )
    return tuple(factors)


def stitch(
    patches: Iterable[NDArray[Any]],
    grid: Grid,
    border: Sequence[int] = (0, 0, 0),
    border_weight: float = 1.0,
) -> NDArray[np.float64]:
    """Sew patches together: ``sum(w * p) / sum(w)`` over the windows of a voxel.

    Parameters
    ----------
    patches : iterable of numpy.ndarray
        ``(C, z, y, x)`` each, in the grid's order.
    grid : Grid
        That they were cut by.
    border, border_weight
        As `border_weights`.

    Returns
    -------
    numpy.ndarray
        ``(C, Z, Y, X)`` float64.

    Raises
    ------
    PlanError
        As `border_weights`, and if number or shape of the patches do not fit the grid.
    """
    factors = border_weights(grid, border, border_weight)
    counts = [len(starts) for starts in grid.starts]
    sewn = np.zeros((0, *grid.shape))
    seen = np.zeros(grid.shape)  # sum of weights so far
    for number, (region, patch) in enumerate(_pairs(grid, patches)):
        if number == 0:
            sewn = np.zeros((len(patch), *grid.shape))
        index = np.unravel_index(number, counts)
        weight = _least(*(factors[axis][index[axis]] for axis in range(3)))
        seen[region] += weight
        _blend(sewn[(slice(None), *region)], patch, weight, seen[region])
    return sewn


def _pairs(
    grid: Grid, patches: Iterable[NDArray[Any]]
) -> Iterator[tuple[Region, NDArray[Any]]]:
    left = iter(patches)
    for number, region in enumerate(grid):
        patch = next(left, None)
        if patch is None:
            raise PlanError(f"{number} patches cannot fill {len(grid)} windows.")
        if tuple(patch.shape[1:]) != grid.size:
            raise PlanError(
                f"A patch of shape {patch.shape[1:]} does not fit windows of "
                f"{grid.size}."
            )
        yield region, patch
    if next(left, None) is not None:
        raise PlanError(f"There are more patches than {len(grid)} windows.")


def _blend(
    sewn: NDArray[np.float64],
    patch: NDArray[Any],
    weight: NDArray[np.float64],
    seen: NDArray[np.float64],
) -> None:
    """Move the weighted mean so far towards a patch.

    Unlike a sum that is divided at the end, the mean of equal values is that value to
    the last bit, also where it is infinite or not a number (West, Comm. ACM 22, 532,
    1979).
    """
    share = np.divide(weight, seen, out=np.zeros_like(seen), where=weight > 0)
    change = (sewn != patch) & (share > 0)
    part = np.broadcast_to(share, patch.shape)[change]
    sewn[change] += part * (patch[change] - sewn[change])


def norm(
    grid: Grid, border: Sequence[int], border_weight: float
) -> NDArray[np.float64]:
    """Sum of the weights that cover each voxel, ``(Z, Y, X)``.

    Of the windows that cover a voxel those that have it inside weigh 1 and the others
    `border_weight`; how many there are of each is a product over the axes.
    """
    border_weights(grid, border, border_weight)  # refuses what cannot be
    cover, inside = [], []
    for axis in range(3):
        starts = np.asarray(grid.starts[axis])
        spans = np.stack([starts, starts + grid.size[axis]], axis=1)
        cover.append(_windows_over(spans, grid.shape[axis]))
        inside.append(
            _windows_over(inner_spans(grid, axis, border[axis]), grid.shape[axis])
        )
    return border_weight * _product(*cover) + (1 - border_weight) * _product(*inside)


def _windows_over(spans: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """How many of the spans hold each place of an axis."""
    places = np.arange(length)
    held = (spans[:, :1] <= places) & (places < spans[:, 1:])
    return np.asarray(held.sum(axis=0), np.float64)


def _product(
    z: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(z[:, None, None] * y[:, None] * x)


def _least(
    z: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    # A voxel is border or not: where borders of two axes meet it is no more so.
    return np.minimum(np.minimum(z[:, None, None], y[:, None]), x)


def _profile(
    start: int, size: int, span: NDArray[np.int64], weight: float
) -> NDArray[np.float64]:
    places = start + np.arange(size)
    return np.where((places >= span[0]) & (places < span[1]), 1.0, weight)


def _has_gap(spans: NDArray[np.int64]) -> bool:
    reach = 0
    for low, high in spans:
        if low > reach or high <= low:
            return True
        reach = max(reach, int(high))
    return False
