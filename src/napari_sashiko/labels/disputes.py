"""Strokes that are called another class than they were painted."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from napari_sashiko.config import Settings
from napari_sashiko.labels.labelled import LabelledVoxels

LEAST = 0.5


class Dispute(Settings):
    """A stroke that is called another class.

    Parameters
    ----------
    coords : (int, int, int)
        Voxel (z, y, x) of the stroke that is most like that class.
    painted, called : int
        Class ids.
    probability : float
        Mean over the stroke, of the class that it is called.
    """

    coords: tuple[int, int, int]
    painted: int
    called: int
    probability: Annotated[float, Ge(0), Le(1)]


def disputed_strokes(
    paint: LabelledVoxels,
    strokes: NDArray[np.integer],
    said: NDArray[np.floating],
    ids: Sequence[int],
    most: int,
) -> list[Dispute]:
    """Find strokes of which another class is more probable than all others together.

    A stroke is judged as a whole, by its mean: its edges are often called another
    class, and that says nothing about the hand that painted it.

    Parameters
    ----------
    paint : LabelledVoxels
        All paint; its classes are among `ids`.
    strokes : numpy.ndarray
        ``(N,)`` number of the stroke that each voxel belongs to.
    said : numpy.ndarray
        ``(N, K)`` probabilities; NaN for voxels that nobody was asked about.
    ids : sequence of int
        Class id of each channel.
    most : int
        How many at most.

    Returns
    -------
    list of Dispute
        The surest first; of equal ones the longer stroke.
    """
    asked = np.flatnonzero(np.isfinite(said[:, 0]))
    names, place, counts = np.unique(
        strokes[asked], return_inverse=True, return_counts=True
    )
    means = np.zeros((len(names), len(ids)))
    for channel in range(len(ids)):
        means[:, channel] = np.bincount(
            place, said[asked, channel], minlength=len(names)
        )
    means /= counts[:, np.newaxis]
    by_stroke = np.argsort(place, kind="stable")
    first = np.cumsum(counts) - counts
    painted = paint.values[asked[by_stroke[first]]]
    called = means.argmax(axis=1)
    highest = means[np.arange(len(means)), called]
    wrong = np.flatnonzero((np.asarray(ids)[called] != painted) & (highest > LEAST))
    sure = highest[wrong]
    order = np.lexsort((wrong, -counts[wrong], -sure))[:most]
    found = []
    for stroke in wrong[order]:
        rows = asked[by_stroke[first[stroke] : first[stroke] + counts[stroke]]]
        z, y, x = paint.coords[rows[said[rows, called[stroke]].argmax()]].tolist()
        found.append(
            Dispute(
                coords=(z, y, x),
                painted=int(painted[stroke]),
                called=int(ids[called[stroke]]),
                probability=min(1.0, float(highest[stroke])),
            )
        )
    return found
