"""Tversky loss."""

from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from napari_sashiko.losses._masking import LOSSES, mean_or_zero, overlaps

_SMOOTH = 0.5


@LOSSES.register("tversky")
def tversky(
    logits: Tensor,
    target: Tensor,
    *,
    alpha: Annotated[float, Ge(0.0)] = 0.3,
    beta: Annotated[float, Ge(0.0)] = 0.7,
) -> Tensor:
    """Return ``1 - (TP + s) / (TP + alpha FP + beta FN + s)``, s = 1/2.

    Mean over samples and classes; TP, FP and FN are soft counts over the labelled
    voxels of one sample. With alpha = beta = 1/2 this is Dice. Source: Salehi et al.,
    MLMI 2017, eq. 3.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    alpha, beta : float
        Price of false positives and of false negatives.

    Returns
    -------
    Tensor
        A scalar in [0, 1]; samples without labels do not count, and without any label
        it is zero.
    """
    hits, false, missed = overlaps(logits, target)
    below = hits + alpha * false + beta * missed + _SMOOTH
    return mean_or_zero(1.0 - (hits + _SMOOTH) / below)
