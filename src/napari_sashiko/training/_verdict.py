"""What held-out strokes say: the families' shares, and how good both are together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from napari_sashiko.metrics import Calibration, ConfusionMatrix, name_of
from napari_sashiko.training._apart import (
    describe_distance,
    describe_unjudged,
    fair_rows,
)
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._sets import are_enough, calibrate
from napari_sashiko.training.blend import forest_share
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.outcome import Best
from napari_sashiko.training.temperature import USUAL, Family, mix

ALL_FOR_SETS = (
    "Prediction sets are calibrated on all held-out strokes, for those alone are too "
    "few: the sets may be too small."
)

Ready = Sequence[tuple[NetworkDesk, Best]]


def weigh_families(desk: Desk, ready: Ready) -> float:
    """Choose the forest's share on held-out voxels; score what both say together.

    Parameters
    ----------
    desk : Desk
        Its ``temperature`` is written, its ``metrics``, ``curves``, ``fairness`` and
        ``sets`` where there is something to judge by.
    ready : sequence of (NetworkDesk, Best)
        The networks that have weights worth keeping.

    Returns
    -------
    float
        The forest's share of the ensemble's mean, in [0, 1].
    """
    default = _default_share(desk, ready)
    desk.temperature = (desk.agreed or USUAL) if ready and desk.is_taught else 1.0
    said = _networks_say(desk, ready)
    votes = np.full_like(said, np.nan) if desk.forest_says is None else desk.forest_says
    judged, heard = np.isfinite(said[:, 0]), np.isfinite(votes[:, 0])
    if ready and not judged.any():
        return default
    rows = next((each for each in (judged & heard, judged, heard) if each.any()), None)
    if rows is None:
        return default
    truth, strokes = desk.channels[rows], desk.strokes[rows]
    share = default
    if (judged & heard).any():
        share = forest_share(truth, votes[rows], said[rows], strokes=strokes)
        desk.share = share
        families = [(share, votes[rows]), (1.0 - share, said[rows])]
    else:
        families = [(1.0, said[rows] if judged.any() else votes[rows])]
    _judge(desk, rows, families)
    return share


def _judge(desk: Desk, rows: NDArray[np.bool_], families: Sequence[Family]) -> None:
    """Score what families say of voxels ``(N,)``, and calibrate sets, where it is fair.

    A stroke has one vote for sets. They are calibrated on all strokes where the fair
    ones are too few for a coverage that all would allow.
    """
    fair, close = fair_rows(desk.labelled.values, rows, desk.apart)
    desk.fairness = describe_distance(desk.classes, close, desk.reach)
    unjudged = set(desk.ids) - set(np.unique(desk.labelled.values[rows]).tolist())
    if unjudged:
        desk.fairness = f"{desk.fairness} {describe_unjudged(desk.classes, unjudged)}"
    fairly = [(share, said[fair[rows]]) for share, said in families]
    _score(desk, mix(fairly, desk.temperature), fair)
    if are_enough(desk.strokes[fair], desk.strokes[rows]):
        desk.sets = calibrate(desk, fair, fairly)
    else:
        desk.sets = calibrate(desk, rows, families)
        desk.fairness = f"{desk.fairness} {ALL_FOR_SETS}"


def _score(desk: Desk, said: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
    """Score what was said ``(n, K)`` of some voxels ``(N,)``; note it."""
    ids = desk.ids
    truth, fold = desk.labelled.values[rows], desk.folds.fold[rows]
    matrix, calibration = ConfusionMatrix(ids), Calibration(ids)
    matrix.update(said.T, truth)
    calibration.update(said.T, truth)
    scores, trust = matrix.compute(), calibration.compute()
    present = np.array(scores.support) > 0
    desk.judged = desk.version
    desk.metrics = {
        "macro_f1": scores.macro_f1,
        "mean_iou": scores.mean_iou,
        "accuracy": scores.accuracy,
        "calibration_error": trust.expected_calibration_error,
        "brier": trust.brier,
    }
    for place in np.flatnonzero(present):
        name = desk.classes[place].name
        desk.metrics[name_of("f1", name)] = scores.f1[place]
        desk.metrics[name_of("iou", name)] = scores.iou[place]
    desk.metrics |= _spread(desk, said, truth, fold)
    desk.curves = {"calibration": trust.record(), "confusion": matrix.record()}


def _spread(
    desk: Desk,
    said: NDArray[np.floating],
    truth: NDArray[np.uint8],
    fold: NDArray[np.int8],
) -> dict[str, float]:
    """Standard deviation of F1 over members, each judged on what it held out."""
    macro, single = [], np.full((len(desk.folds), len(desk.classes)), np.nan)
    for number in np.unique(fold):
        mine, matrix = fold == number, ConfusionMatrix(desk.ids)
        matrix.update(said[mine].T, truth[mine])
        scores = matrix.compute()
        macro.append(scores.macro_f1)
        single[number] = np.where(np.array(scores.support) > 0, scores.f1, np.nan)
    spread = {"macro_f1_std": float(np.std(macro))} if len(macro) > 1 else {}
    for each, scores_of in zip(desk.classes, single.T, strict=True):
        known = scores_of[np.isfinite(scores_of)]
        if len(known) > 1:
            spread[name_of("f1_std", each.name)] = float(np.std(known))
    return spread


def _default_share(desk: Desk, ready: Ready) -> float:
    if desk.forest is None:
        return 0.0
    if not ready:
        return 1.0
    return 0.5 if desk.share is None else desk.share


def _networks_say(desk: Desk, ready: Ready) -> NDArray[np.float64]:
    """Probabilities ``(N, K)`` of the network that held a voxel out, NaN elsewhere."""
    said = np.full((len(desk.channels), len(desk.classes)), np.nan)
    for _, best in ready:
        held_out = best.held_out
        if best.logits is None or held_out is None or held_out.version != desk.version:
            continue
        said[held_out.rows] = softmax(best.logits.astype(float), axis=1)
    return said
