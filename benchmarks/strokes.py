"""Simulated brush strokes: what a person could paint on a few slices in a minute.

Strategy: the first axis is cut into as many bands as slices are wanted; in each band
one of the slices that show the rarest class well is painted. A stroke is a walk
with a heading that drifts a little at each step and turns away, as gently as it can,
before it would leave its class; a round brush follows the walk and is clipped to the
class. Two thirds of the strokes start anywhere in the class, every third a few pixels
inside its border, where people like to say "up to here".
"""

import numpy as np
from scipy import ndimage

NEAR_BORDER = (2.0, 6.0)  # pixels from the border at which every third stroke starts
DRIFT = 0.18  # radians, standard deviation of the heading per step
TURNS = np.concatenate([[s * t for s in (1, -1)] for t in np.geomspace(0.15, 2.2, 7)])
SHOWS_WELL = 0.7  # share of the band's best view of the rarest class


def strokes(truth, *, slices=3, per_class=6, length=40, brush=3, seed=0):
    """Paint strokes that follow the classes of a dense truth.

    Parameters
    ----------
    truth : np.ndarray
        Shape `([Z,] Y, X)`, integers, 0 is the first class.
    slices : int
        Painted slices along the first axis of a volume.
    per_class : int
        Strokes of each class on each painted slice.
    length : int
        Longest stroke in steps of one pixel.
    brush : float
        Brush diameter in pixels.
    seed : int
        Equal seeds paint equal strokes.

    Returns
    -------
    np.ndarray
        uint8 in the truth's shape: 0 is unlabelled, class `c` of the truth is `c + 1`.
    """
    rng = np.random.default_rng(seed)
    volume = truth[None] if truth.ndim == 2 else truth
    labels = np.zeros(volume.shape, np.uint8)
    classes = np.unique(volume)
    for z in _painted_slices(volume, classes, slices, rng):
        for c in classes:
            mask = volume[z] == c
            for k in range(per_class if mask.any() else 0):
                start = _start(mask, rng, near_border=k % 3 == 2)
                labels[z][_stroke(mask, start, length, brush, rng)] = c + 1
    return labels.reshape(truth.shape)


def _painted_slices(volume, classes, slices, rng):
    seen = np.stack([(volume == c).sum(axis=(1, 2)) for c in classes])
    rarest = seen.min(axis=0)
    for band in np.array_split(np.arange(len(volume)), min(slices, len(volume))):
        best = rarest[band].max()
        yield int(rng.choice(band[rarest[band] >= SHOWS_WELL * best]))


def _start(mask, rng, *, near_border):
    places = mask
    if near_border:
        depth = ndimage.distance_transform_edt(mask)
        band = (depth >= NEAR_BORDER[0]) & (depth <= NEAR_BORDER[1])
        places = band if band.any() else mask
    return rng.choice(np.argwhere(places)).astype(float)


def _stroke(mask, start, length, brush, rng):
    painted = np.zeros(mask.shape, bool)
    disk = _disk(brush)
    for y, x in _walk(mask, start, length, rng):
        dab = disk + np.rint([y, x]).astype(int)
        dab = dab[((dab >= 0) & (dab < mask.shape)).all(axis=1)]
        painted[dab[:, 0], dab[:, 1]] = True
    return painted & mask


def _disk(brush):
    reach = int(np.ceil(brush / 2))
    grid = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    return grid[(grid**2).sum(axis=1) <= (brush / 2) ** 2]


def _walk(mask, start, length, rng):
    place, heading = start, rng.uniform(0, 2 * np.pi)
    turns = np.concatenate([[0.0], np.linspace(-np.pi, np.pi, 16)])  # any way at first
    for _ in range(length):
        yield place
        headings = heading + turns
        ways = place + np.stack([np.sin(headings), np.cos(headings)], axis=1)
        free = np.flatnonzero(_inside(mask, np.rint(ways).astype(int)))
        if not len(free):
            return
        place, heading = ways[free[0]], headings[free[0]] + rng.normal(0, DRIFT)
        side = rng.choice([-1, 1])
        turns = np.concatenate([[0.0], side * TURNS])


def _inside(mask, pixels):
    within = ((pixels >= 0) & (pixels < mask.shape)).all(axis=1)
    y, x = np.clip(pixels, 0, np.array(mask.shape) - 1).T
    return within & mask[y, x]
