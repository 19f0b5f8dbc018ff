"""Balls, space curves and noise that samples are built from."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Shape = tuple[int, int, int]
Generator = np.random.Generator
Floats = npt.NDArray[np.floating[Any]]


def noise(rng: Generator, shape: Shape, sigma: float | Sequence[float]) -> Floats:
    """Gaussian noise of unit variance with correlation length `sigma` (voxels)."""
    raw = rng.standard_normal(shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(raw, sigma, mode="wrap", truncate=3)
    result: Floats = (smooth - smooth.mean()) / smooth.std()
    return result


def spots(rng: Generator, shape: Shape, count: int) -> Floats:
    """Random places ``(count, 3)`` in voxels."""
    places: Floats = rng.uniform(0, 1, (count, 3)) * shape
    return places


def put_ellipsoid(
    target: npt.NDArray[Any],
    centre: Sequence[float] | Floats,
    half_axes: Sequence[float] | Floats,
    value: float,
) -> None:
    """Set the voxels of an axis-aligned ellipsoid (voxels) in place."""
    middle, half = np.asarray(centre, float), np.asarray(half_axes, float)
    low = np.maximum(np.floor(middle - half), 0).astype(int)
    high = np.minimum(np.ceil(middle + half) + 1, target.shape).astype(int)
    if (low >= high).any():
        return
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    axes = zip(np.ogrid[box], middle, half, strict=True)
    target[box][sum(((a - c) / h) ** 2 for a, c, h in axes) <= 1] = value


def put_tube(
    target: npt.NDArray[Any], path: Floats, radius: float, value: float
) -> None:
    """Set the voxels within `radius` of a path ``(N, 3)`` in place."""
    for point in path:
        put_ellipsoid(target, point, (radius,) * 3, value)


def curves(
    rng: Generator,
    shape: Shape,
    count: int,
    *,
    length: tuple[int, int],
    bend: float,
    flat: float,
) -> Iterator[Floats]:
    """Yield smooth space curves ``(N, 3)`` with steps of one voxel.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    shape : tuple of int
        Curves start inside.
    count : int
        How many.
    length : tuple of int
        Shortest and longest, voxels.
    bend : float
        Standard deviation of the turn per voxel, radians.
    flat : float
        Below 1 curves keep closer to the plane of y and x.
    """
    for start in spots(rng, shape, count):
        steps = int(rng.integers(*length))
        turns = ndimage.gaussian_filter1d(rng.normal(0, bend, (steps, 3)), 6, axis=0)
        ways = rng.normal(size=3) * (flat, 1, 1)
        ways = ways / np.linalg.norm(ways) + np.cumsum(4 * turns, axis=0)
        ways *= (flat, 1, 1)
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        yield start + np.cumsum(ways, axis=0)
