"""What a segmentation is worth, on the voxels that have no paint."""

from typing import Any

import numpy as np

from napari_sashiko.metrics import Calibration, ConfusionMatrix

SURE, UNSURE = 0.5, 0.1  # shares of the voxels: the most and the least certain


def scores(
    probabilities: np.ndarray,
    spread: np.ndarray | None,
    truth: np.ndarray,
    paint: np.ndarray,
) -> dict[str, Any]:
    """Score one answer.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(K, Z, Y, X)``.
    spread : numpy.ndarray or None
        ``(Z, Y, X)``: standard deviation of the members for the class that wins.
    truth, paint : numpy.ndarray
        ``(Z, Y, X)``: class from 0, and what was painted (not scored).

    Returns
    -------
    dict
        ``macro_f1``, ``dice`` (mean of all classes but the first), ``brier``, ``ece``;
        with a spread ``auroc`` (of spread against error) and ``ratio`` (error rate in
        the most uncertain tenth over that in the most certain half).
    """
    target = np.where(paint == 0, truth.astype(np.int64) + 1, 0)
    count = len(probabilities)
    matrix, calibration = ConfusionMatrix(count), Calibration(count)
    for z in range(len(truth)):
        matrix.update(probabilities[:, z], target[z])
        calibration.update(probabilities[:, z], target[z])
    confusion, trust = matrix.compute(), calibration.compute()
    found = {
        "macro_f1": confusion.macro_f1,
        "dice": float(np.mean(confusion.dice[1:])),
        "brier": trust.brier,
        "ece": trust.expected_calibration_error,
    }
    if spread is not None:
        asked = paint == 0
        wrong = probabilities.argmax(0)[asked] != truth[asked]
        found |= ranking(spread[asked], wrong)
    return {key: round(float(value), 5) for key, value in found.items()}


def ranking(spread: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """How well the spread tells where errors are.

    The area under the curve is the probability that of a wrong and a right voxel the
    wrong one has the larger spread (Mann & Whitney, 1947), ties counted half.
    """
    order = np.argsort(spread, kind="stable")
    sure = wrong[order[: int(SURE * len(order))]].mean()
    unsure = wrong[order[-int(UNSURE * len(order)) :]].mean()
    _, place, counts = np.unique(spread, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    bad, good = int(wrong.sum()), int((~wrong).sum())
    if not bad or not good:
        return {"auroc": float("nan"), "ratio": float("nan")}
    area = (ranks[wrong].sum() - bad * (bad + 1) / 2) / (bad * good)
    return {"auroc": area, "ratio": unsure / max(sure, 1e-6)}
