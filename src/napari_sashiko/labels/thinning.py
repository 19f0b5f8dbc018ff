"""Which voxels of dense labels are kept, so that memory holds what is learned from.

Of volumes, cells are kept at random, each class in the proportion that it has.

Of many pictures, rare classes keep what they have. Strategy: labels of them hold more
pixels than a forest or a network can learn from. Squares are kept at random. A class
that is a hundred times rarer than another one is kept ten times more often, up to all
of it: pixels kept grow as the root of pixels labelled. A square that is kept for a
common class is kept for all rarer ones too, so that borders between classes stay.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL = 32  # edge of a square, pixels
DEPTH = 8  # slices of a cell, so that patches of few slices come from many places
MOST_LABELLED = 1 << 22  # voxels of a volume; each takes about 140 bytes in training
BAND = 1 << 22  # pixels that are looked at together
LEAST = 5000  # pixels that each class keeps whatever the others have
STEPS = 60  # of the search for the share


def kept_shares(counts: NDArray[np.int64], most: int) -> NDArray[np.float64]:
    """Share of each class that is kept, so that about `most` pixels are.

    Parameters
    ----------
    counts : numpy.ndarray
        Labelled pixels of each class.
    most : int
        Pixels that may be kept together.

    Returns
    -------
    numpy.ndarray
        ``min(1, s / sqrt(count))`` for the largest ``s`` that keeps to `most`; more for
        a class that would keep fewer than ``LEAST``.
    """
    roots = np.sqrt(np.maximum(counts, 1).astype(np.float64))
    if counts.sum() <= most:
        return np.ones(len(counts))
    low, high = 0.0, float(roots.max())
    for _ in range(STEPS):
        middle = (low + high) / 2
        kept = (np.minimum(1.0, middle / roots) * counts).sum()
        low, high = (middle, high) if kept <= most else (low, middle)
    return np.minimum(1.0, np.maximum(low / roots, LEAST / roots**2))


def even_shares(counts: NDArray[np.int64], most: int) -> NDArray[np.float64]:
    """One share for all classes: scores of what is kept are those of all."""
    return np.full(len(counts), min(1.0, most / max(int(counts.sum()), 1)))


def volume_shares(counts: NDArray[np.int64], most: int) -> NDArray[np.float64]:
    """Share of each class of a volume that is kept: the same, and all of what is rare.

    Parameters
    ----------
    counts : numpy.ndarray
        Labelled voxels by class id, from 0 on.
    most : int
        Voxels that may be kept together; rare classes may go beyond.
    """
    least = LEAST / np.maximum(counts, 1)
    return np.minimum(1.0, np.maximum(even_shares(counts, most), least))


def kept_places(
    coords: NDArray[np.integer[Any]],
    values: NDArray[np.uint8],
    shares: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Choose labelled voxels of a volume, cell by cell.

    A cell is kept or not by where it lies: however the volume is read, and whatever
    else is painted, the same ones are kept.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)``, (z, y, x).
    values : numpy.ndarray
        ``(N,)`` class ids.
    shares : numpy.ndarray
        By class id, from 0 on.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool. A cell that is kept for one class is kept for all with a larger
        share too.
    """
    cells = coords // np.array((DEPTH, CELL, CELL), coords.dtype)
    numbers = np.zeros(len(coords), np.uint64)
    for column in cells.T:
        numbers = numbers * np.uint64(1 << 20) + column.astype(np.uint64)
    kept: NDArray[np.bool_] = scattered(numbers) < shares[values]
    return kept


def scattered(numbers: NDArray[np.uint64], seed: int = 0) -> NDArray[np.float64]:
    """A number in [0, 1) for each number, as good as random: the end of SplitMix64."""
    bits = numbers + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits ^ (bits >> np.uint64(31))) / 2.0**64


def kept_pixels(
    ids: NDArray[np.uint8], shares: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Choose pixels of a picture, square by square.

    Parameters
    ----------
    ids : numpy.ndarray
        ``(Y, X)`` class ids; 0 is not labelled and never kept.
    shares : numpy.ndarray
        By class id, from 0 on.
    rng : numpy.random.Generator
        Decides which squares.

    Returns
    -------
    coords : numpy.ndarray
        ``(n, 2)`` int32, (y, x), in row-major order.
    values : numpy.ndarray
        ``(n,)`` class ids.
    """
    coords, values = [np.zeros((0, 2), np.int32)], [np.zeros(0, np.uint8)]
    for start, squares in _drawn(ids.shape, rng):
        band = ids[start : start + CELL * len(squares)]
        drawn = squares.repeat(CELL, axis=0).repeat(CELL, axis=1)
        mask = (drawn[: band.shape[0], : band.shape[1]] < shares[band]) & (band > 0)
        places = np.argwhere(mask)
        values.append(band[mask])
        coords.append((places + np.array([start, 0])).astype(np.int32))
    return np.concatenate(coords), np.concatenate(values)


def may_keep(
    size: tuple[int, int], shares: NDArray[np.float64], rng: np.random.Generator
) -> bool:
    """Whether `kept_pixels` may keep any of a picture of this size, whatever is in it.

    Of many pictures nothing is kept: they need not be read.
    """
    most = shares.max()
    return any((squares < most).any() for _, squares in _drawn(size, rng))


def _drawn(
    size: tuple[int, ...], rng: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """First row of each band of whole squares, and what was drawn for these."""
    height, width = size
    step = max(1, BAND // (CELL * max(width, 1))) * CELL
    for start in range(0, height, step):
        rows = min(step, height - start)
        yield start, rng.random((-(-rows // CELL), -(-width // CELL)))
