"""Overlap and likelihood at once."""

from typing import Annotated

from annotated_types import Ge, Le
from torch import Tensor

from napari_sashiko.losses._masking import LOSSES
from napari_sashiko.losses.binary_cross_entropy import weighted_binary_cross_entropy
from napari_sashiko.losses.dice import dice


@LOSSES.register("dice_bce")
def dice_bce(
    logits: Tensor, target: Tensor, *, share: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
) -> Tensor:
    """Return ``share * dice + (1 - share) * binary cross entropy``.

    Dice sees objects as wholes however few voxels they have, the cross entropy gives
    each voxel a slope.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``, C >= 2.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    share : float
        Of the Dice loss, in [0, 1].

    Returns
    -------
    Tensor
        A scalar.
    """
    likelihood = weighted_binary_cross_entropy(logits, target)
    return share * dice(logits, target) + (1.0 - share) * likelihood
