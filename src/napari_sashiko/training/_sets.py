"""Prediction sets, calibrated on what is said about held-out strokes.

A held-out stroke is judged by members that have not seen it, a prediction is made by
all of them: cross-conformal prediction (Vovk, Ann. Math. Artif. Intell. 74, 9, 2015),
whose coverage is in practice near to what was asked, but not promised. Shares and best
epochs are chosen on the same strokes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.metrics import (
    COVERAGES,
    SetCalibration,
    calibrate_sets,
    strokes_needed,
)
from napari_sashiko.training._desk import Desk
from napari_sashiko.training.temperature import Family, mix


def calibrate(
    desk: Desk, rows: NDArray[np.bool_], families: Sequence[Family]
) -> SetCalibration:
    """Calibrate on held-out voxels, a vote for each stroke.

    Parameters
    ----------
    desk : Desk
        Its correction and temperature are applied to each family, as the ensemble
        does.
    rows : numpy.ndarray
        ``(N,)`` bool: the voxels to calibrate on; at least one.
    families : sequence of (share, probabilities)
        Share of the mean, and ``(n, K)`` finite probabilities of these voxels.
    """
    corrected = [(share, _corrected(said, desk.correction)) for share, said in families]
    return calibrate_sets(
        mix(corrected, desk.temperature).T,
        desk.labelled.values[rows],
        [each.id for each in desk.classes],
        strokes=desk.strokes[rows],
    )


def are_enough(some: NDArray[np.int64], every: NDArray[np.int64]) -> bool:
    """Whether a part of the strokes makes sets of all the coverages that all can.

    Parameters
    ----------
    some, every : numpy.ndarray
        Stroke of each voxel.
    """
    few, many = len(np.unique(some)), len(np.unique(every))
    return not any(few < strokes_needed(c) <= many for c in COVERAGES)


def _corrected(
    shares: NDArray[np.floating], factors: tuple[float, ...]
) -> NDArray[np.float64]:
    shares = shares * np.asarray(factors or (1.0,))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True).clip(1e-12))
