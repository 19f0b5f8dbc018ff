"""Focal Tversky loss."""

from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from napari_sashiko.losses._masking import LOSSES, mean_or_zero, overlaps

_SMOOTH = 0.5
_FLOOR = 1e-6  # a power below 1 has no finite slope at 0


@LOSSES.register("focal_tversky")
def focal_tversky(
    logits: Tensor,
    target: Tensor,
    *,
    alpha: Annotated[float, Ge(0.0)] = 0.3,
    beta: Annotated[float, Ge(0.0)] = 0.7,
    gamma: Annotated[float, Ge(1.0)] = 4.0 / 3.0,
) -> Tensor:
    """Return ``(1 - (TP + s) / (TP + alpha FP + beta FN + s)) ** (1 / gamma)``.

    Mean over samples and classes, s = 1/2: classes that are found badly count more.
    With gamma = 1 this is the Tversky loss. Source: Abraham & Khan, ISBI, 683 (2019),
    equation 4.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    alpha, beta : float
        Price of false positives and of false negatives.
    gamma : float
        From 1 to 3 in the paper.

    Returns
    -------
    Tensor
        A scalar in [0, 1]; samples without labels do not count, and without any label
        it is zero.
    """
    hits, false, missed = overlaps(logits, target)
    below = hits + alpha * false + beta * missed + _SMOOTH
    lost = 1.0 - (hits + _SMOOTH) / below
    return mean_or_zero((lost + _FLOOR) ** (1.0 / gamma) - _FLOOR ** (1.0 / gamma))
