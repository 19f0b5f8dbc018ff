"""Simulated strokes: what a person could paint on a few slices in a minute.

Strategy: the volume is cut into bands along z; in each band one of the slices that show
the rarest class well is painted. A stroke walks through its class with a heading that
drifts, turning as little as it must to stay inside; a round brush follows and is
clipped to the class. Every third stroke starts close to the border of its class.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Generator = np.random.Generator

DRIFT = 0.18  # radians per voxel of way, standard deviation
CLOSE = (2.0, 6.0)  # voxels from the border
SHOWS_WELL = 0.7  # of the best view of the rarest class in a band
FAN = np.array([0, 0.2, -0.2, 0.45, -0.45, 0.8, -0.8, 1.2, -1.2, 1.8, -1.8])  # radians


def paint_strokes(
    truth: npt.NDArray[np.uint8],
    *,
    slices: int = 3,
    strokes: int = 5,
    length: int = 40,
    brush: float = 3.0,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Paint strokes that follow the classes of a truth.

    Parameters
    ----------
    truth : numpy.ndarray
        uint8 ``(Z, Y, X)``, class ids 1..C; 0 is never painted.
    slices : int
        Painted slices.
    strokes : int
        Strokes per class and slice.
    length : int
        Longest stroke, voxels.
    brush : float
        Diameter, voxels.
    seed : int
        Equal seeds paint equal strokes.

    Returns
    -------
    numpy.ndarray
        uint8 ``(Z, Y, X)``: class ids, 0 where nothing was painted.
    """
    rng = np.random.default_rng(seed)
    ids = [int(c) for c in np.unique(truth) if c > 0]
    painted = np.zeros_like(truth)
    for z in _slices_to_paint(truth, ids, slices, rng):
        for c in ids:
            mask = truth[z] == c
            for number in range(strokes if mask.any() else 0):
                start = _start(mask, rng, close=number % 3 == 2)
                painted[z][_stroke(mask, start, length, brush, rng)] = c
    return painted


def _slices_to_paint(
    truth: npt.NDArray[np.uint8], ids: list[int], slices: int, rng: Generator
) -> list[int]:
    views = np.stack([(truth == c).sum(axis=(1, 2)) for c in ids]).min(axis=0)
    bands = np.array_split(np.arange(len(truth)), min(slices, len(truth)))
    good = [band[views[band] >= SHOWS_WELL * views[band].max()] for band in bands]
    return [int(rng.choice(band)) for band in good]


def _start(mask: Mask, rng: Generator, *, close: bool) -> npt.NDArray[np.float64]:
    places = mask
    if close:
        depth = ndimage.distance_transform_edt(mask)
        near = (depth >= CLOSE[0]) & (depth <= CLOSE[1])
        places = near if near.any() else mask
    start: npt.NDArray[np.float64] = rng.choice(np.argwhere(places)).astype(float)
    return start


def _stroke(
    mask: Mask,
    start: npt.NDArray[np.float64],
    length: int,
    brush: float,
    rng: Generator,
) -> Mask:
    way = np.zeros(mask.shape, bool)
    place, heading = start, rng.uniform(0, 2 * np.pi)
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)  # any way at first
    for _ in range(length):
        y, x = np.rint(place).astype(int)
        way[y, x] = True
        free = [turn for turn in heading + turns if _inside(mask, place, turn)]
        if not free:
            break
        place = place + np.array([np.sin(free[0]), np.cos(free[0])])
        heading = free[0] + rng.normal(0, DRIFT)
        turns = FAN * rng.choice([-1, 1])
    brushed: Mask = ndimage.distance_transform_edt(~way) <= brush / 2
    return brushed & mask


def _inside(mask: Mask, place: npt.NDArray[np.float64], turn: float) -> bool:
    y = round(place[0] + np.sin(turn))
    x = round(place[1] + np.cos(turn))
    return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])
