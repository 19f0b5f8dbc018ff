"""Dice loss."""

from torch import Tensor

from napari_sashiko.losses._masking import LOSSES, mean_or_zero, overlaps


@LOSSES.register("dice")
def dice(logits: Tensor, target: Tensor) -> Tensor:
    """Return ``1 - (2 pq + 1) / (p + q + 1)``, mean over samples and classes.

    p, q and pq are the sums of truth, probability and their product over the labelled
    voxels of one sample and class. Source: Sudre et al., DLMIA 2017, smoothed by 1.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.

    Returns
    -------
    Tensor
        A scalar in [0, 1]; samples without labels do not count, and without any label
        it is zero.
    """
    hits, false, missed = overlaps(logits, target)
    p, q = hits + missed, hits + false
    return mean_or_zero(1.0 - (2.0 * hits + 1.0) / (p + q + 1.0))
