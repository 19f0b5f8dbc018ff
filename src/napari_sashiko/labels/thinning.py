"""Which pixels of dense labels are kept, so that rare classes keep what they have.

Strategy: labels of many pictures hold more pixels than a forest or a network can learn
from, and than memory should hold. Squares of them are kept at random. A class that is
a hundred times rarer than another one is kept ten times more often, up to all of it:
pixels kept grow as the root of pixels labelled. A square that is kept for a common
class is kept for all rarer ones too, so that borders between classes stay.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CELL = 32  # edge of a square, pixels
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
