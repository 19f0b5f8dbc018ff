"""Focal loss."""

from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn import functional

from napari_sashiko.losses._masking import LOSSES, labelled_rows, mean_or_zero


@LOSSES.register("focal")
def focal(
    logits: Tensor,
    target: Tensor,
    *,
    alpha: Annotated[float, Ge(0.0)] = 1.0,
    gamma: Annotated[float, Ge(0.0)] = 2.0,
) -> Tensor:
    """Return the mean of ``alpha (1 - p_t)^gamma (-log p_t)`` over labelled voxels.

    Source: Lin et al., ICCV 2017, eq. 5.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    alpha : float
        Factor.
    gamma : float
        How strongly well classified voxels are played down, 0 or more; 0 is the cross
        entropy.

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing is labelled.
    """
    rows, classes = labelled_rows(logits, target)
    surprise = functional.cross_entropy(rows, classes, reduction="none")
    # The floor keeps the slope of a power below 1 finite where p_t is 1.
    doubt = (-torch.expm1(-surprise)).clamp(min=torch.finfo(rows.dtype).eps)
    return mean_or_zero(alpha * doubt**gamma * surprise)
