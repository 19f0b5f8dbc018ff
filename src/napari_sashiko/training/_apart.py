"""Which held-out voxels lie beyond what the members saw of learned ones.

Strategy: a network that learned from a voxel knows its surroundings by heart, and who
is judged there is judged too kindly (Roberts et al., Ecography 40, 913, 2017, on blocks
in space). Keeping all members from learning near every held-out stroke would cost them
up to half of the paint. So a narrow band is kept free for all, and scores are taken
from the strokes that lie apart by chance, where a class has some.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelClass
from napari_sashiko.patches import Folds, within_reach
from napari_sashiko.volumes import frames_apart

FEWEST = 30  # voxels of a class; fewer say too little to stand for all

Reach = tuple[int, int, int]


def voxels_apart(
    coords: NDArray[np.int32], folds: Folds, reach: Reach, frame: int | None = None
) -> NDArray[np.bool_]:
    """Find held-out voxels with nothing around them that their member learned from.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)``, in row-major order.
    folds : Folds
        Who held out what.
    reach : tuple of int
        Receptive field beyond its centre, (z, y, x) in voxels.
    frame : int, optional
        Slices of a frame: nobody sees beyond it.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool.
    """
    apart = np.zeros(len(coords), bool)
    coords = frames_apart(coords, frame, reach[0])
    for number, learned in enumerate(folds.train):
        held = folds.fold == number
        apart |= held & ~within_reach(coords, learned, held, reach)
    return apart


def fair_rows(
    values: NDArray[np.uint8], judged: NDArray[np.bool_], apart: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], set[int]]:
    """Choose what scores are taken from: class by class, what lies apart, if any does.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N,)`` class ids.
    judged, apart : numpy.ndarray
        ``(N,)`` bool: what somebody was asked about who has not learned from it, and
        what lies apart.

    Returns
    -------
    rows : numpy.ndarray
        ``(N,)`` bool.
    close : set of int
        Classes that are scored on strokes that do not lie apart.
    """
    rows, close = judged & apart, set()
    for label in np.unique(values[judged]):
        mine = values == label
        asked = int(np.count_nonzero(judged & mine))
        # Few that all lie apart are few, not close.
        if np.count_nonzero(rows & mine) < min(FEWEST, asked):
            rows |= judged & mine
            close.add(int(label))
    return rows, close


def describe_distance(
    classes: Sequence[LabelClass], close: set[int], reach: Reach
) -> str:
    """Say how far from learned paint the scores were taken."""
    names = [each.name for each in classes if each.id in close]
    field = f"the receptive field ({max(reach)} voxels)"
    if not names:
        return f"Judged on strokes beyond {field} of what was learned."
    if len(names) == len(classes):
        return (
            f"Held-out strokes lie within {field} of learned ones: scores may be too "
            "good. Strokes further apart make a fairer test."
        )
    return (
        f"Judged on strokes beyond {field} of what was learned; those of "
        f"{_listed(names)} lie "
        "closer: their scores may be too good."
    )


def describe_unjudged(classes: Sequence[LabelClass], unjudged: set[int]) -> str:
    """Say which classes no held-out stroke tells of."""
    names = [each.name for each in classes if each.id in unjudged]
    return f"No score tells how well {_listed(names)} is found: paint more of it."


def _listed(names: list[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last
