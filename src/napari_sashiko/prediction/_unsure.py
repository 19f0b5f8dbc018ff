"""Where in a block it is unsure: peaks of doubt times contrast.

Strategy: doubt alone is largest where there is nothing to see: air around a sample, a
masked corner, the flat inside of a large grain that nobody painted. One stroke there
teaches one grey value. So doubt is weighed by contrast, the standard deviation of the
normalised image in a neighbourhood. It is zero where nothing varies, counts texture as
well as edges, which a slope does not, and is no guess of the model, as the margin
between two classes would be. The image as a whole has a deviation of one; half of that
is full contrast, else the strongest edges would win, where nothing is to be learned.

Both are averaged over a few voxels first. The members always disagree by a voxel about
where a border lies; such ridges are thin and fade, while a piece that may be another
class altogether stays.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.metrics import doubt
from napari_sashiko.prediction._inference import Pair
from napari_sashiko.prediction.events import Place
from napari_sashiko.prediction.predictor import FloatArray, Triple
from napari_sashiko.volumes import Region, grow

# Chosen on generated volumes by benchmarks/places.py; in voxels of the finest axis.
SMOOTH = 1.5  # as wide as a border's ridge
NEIGHBOURHOOD = 2.0  # of contrast: wider, it leaks into what is empty
FULL = 0.5  # deviation above which more contrast adds nothing; the image's own is 1
AROUND = 2.0  # over which the classes of a place are told
LEAST = 0.02  # smoothed doubt below which nobody hesitates


@dataclass(frozen=True)
class Rules:
    """What makes a voxel a place, in voxels.

    Attributes
    ----------
    ids : tuple of int
        Class id of each channel.
    scale : tuple of float
        Size of a voxel (z, y, x), in voxels of the finest axis.
    apart : float
        Least distance of two places.
    away : float
        Least distance from paint.
    count : int
        Most places of a block.
    frame : int, optional
        Slices of a frame: paint in another one is not near.
    """

    ids: tuple[int, ...]
    scale: tuple[float, float, float]
    apart: float
    away: float
    count: int
    frame: int | None = None

    @property
    def reach(self) -> Triple:
        """Voxels (z, y, x) around paint in which there is no place."""
        z, y, x = (math.ceil(self.away / s) for s in self.scale)
        return z, y, x

    def widths(self, length: float) -> list[float]:
        """Return a length in voxels of each axis."""
        return [length / s for s in self.scale]


def scale_of(voxel_size: Sequence[float], *, flat: bool) -> tuple[float, float, float]:
    """Voxel size relative to the finest axis; images have no depth to compare."""
    sizes = [min(voxel_size[1:]), *voxel_size[1:]] if flat else voxel_size
    z, y, x = (size / min(sizes) for size in sizes)
    return z, y, x


def unsure_places(
    region: Region,
    said: Pair,
    image: FloatArray,
    labelled: LabelledVoxels | None,
    rules: Rules,
) -> list[Place]:
    """Find the peaks of a block, each the highest of the box `rules.apart` around it.

    Parameters
    ----------
    region : Region
        The block.
    said : pair of (K, z, y, x) float32
        Mean and deviation in the block.
    image : (C, z, y, x) float32
        Normalised voxels of the block.
    labelled : LabelledVoxels, optional
        The paint of the volume: no place is near to it.

    Returns
    -------
    list of Place
        From the highest score down.
    """
    hesitation = gaussian_filter(doubt(*said), rules.widths(SMOOTH), mode="nearest")
    score = hesitation * contrast(image, rules)
    score[hesitation < LEAST] = 0
    if labelled is not None:
        score[near_paint(region, labelled, rules.reach, rules.frame)] = 0
    peaks = _peaks(score, rules)
    return [_place(peak, score, said, region, rules) for peak in peaks]


def contrast(image: FloatArray, rules: Rules) -> FloatArray:
    """Deviation of the image around each voxel, of the channel that varies most.

    Parameters
    ----------
    image : (C, z, y, x) float32
        Normalised: it has a deviation of one as a whole.

    Returns
    -------
    numpy.ndarray
        ``(z, y, x)`` float32 in [0, 1]; 1 is a deviation of `FULL` or more.
    """
    width = rules.widths(NEIGHBOURHOOD)
    most = np.zeros(image.shape[1:], np.float32)
    for channel in image:
        # The mean goes first, so that large numbers do not cancel.
        values = channel - channel.mean()
        middle = gaussian_filter(values, width, mode="nearest")
        squares = gaussian_filter(values**2, width, mode="nearest")
        np.maximum(most, squares - middle**2, out=most)
    return np.asarray(np.sqrt(most.clip(0, FULL**2)) / FULL, np.float32)


def near_paint(
    region: Region,
    labelled: LabelledVoxels,
    reach: Triple,
    frame: int | None = None,
) -> NDArray[np.bool_]:
    """Find the voxels of a block with paint within `reach` voxels on every axis."""
    seen = grow(region, reach, labelled.shape, frame)
    rows = slice(*np.searchsorted(labelled.coords[:, 0], [seen[0].start, seen[0].stop]))
    coords = labelled.coords[rows]
    low, high = ([getattr(p, end) for p in seen] for end in ("start", "stop"))
    coords = coords[((coords >= low) & (coords < high)).all(axis=1)]
    marks = np.zeros([b - a for a, b in zip(low, high, strict=True)], np.uint8)
    if len(coords):
        marks[tuple((coords - low).T)] = 1
        marks = maximum_filter(marks, [2 * r + 1 for r in reach], mode="constant")
    inner = tuple(
        slice(part.start - start, part.stop - start)
        for part, start in zip(region, low, strict=True)
    )
    return np.asarray(marks[inner], bool)


def _peaks(score: FloatArray, rules: Rules) -> list[Triple]:
    sides = [2 * int(width) + 1 for width in rules.widths(rules.apart)]
    # A filter wider than the block costs more and finds nothing else.
    sides = [min(s, 2 * n + 1) for s, n in zip(sides, score.shape, strict=True)]
    highest = maximum_filter(score, sides, mode="constant")
    found = np.argwhere((score == highest) & (score > 0))
    order = np.argsort(-score[tuple(found.T)], kind="stable")[: rules.count]
    return [(int(z), int(y), int(x)) for z, y, x in found[order]]


def _place(
    peak: Triple,
    score: FloatArray,
    said: Pair,
    region: Region,
    rules: Rules,
) -> Place:
    mean, std = said
    around = (slice(None), *_around(peak, score.shape, rules))
    chances = mean[around].mean(axis=(1, 2, 3))
    order = np.argsort(-chances, kind="stable")
    z, y, x = (p + part.start for p, part in zip(peak, region, strict=True))
    return Place(
        coords=(z, y, x),
        score=float(score[peak]),
        kind="unsure",
        classes=(rules.ids[order[0]], rules.ids[order[min(1, len(order) - 1)]]),
        probability=float(chances[order[0]]),
        std=float(std[around].max(axis=0).mean()),
    )


def _around(peak: Triple, shape: Sequence[int], rules: Rules) -> list[slice]:
    return [
        slice(max(p - int(width), 0), min(p + int(width) + 1, n))
        for p, width, n in zip(peak, rules.widths(AROUND), shape, strict=True)
    ]
