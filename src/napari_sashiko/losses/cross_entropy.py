"""Masked cross entropy."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from napari_sashiko.errors import SettingsError
from napari_sashiko.losses._masking import LOSSES, labelled_rows, mean_or_zero


@LOSSES.register("cross_entropy")
def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    class_weights: Sequence[Annotated[float, Ge(0.0)]] | None = None,
    label_smoothing: Annotated[float, Ge(0.0), Le(1.0)] = 0.0,
) -> Tensor:
    """Return the mean of ``-log p_t`` over labelled voxels.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    class_weights : sequence of float, optional
        One weight per class; the mean is then weighted (sum of weights in the
        denominator).
    label_smoothing : float
        Share of the target spread evenly over the classes, in [0, 1].

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing is labelled.
    """
    rows, classes = labelled_rows(logits, target)
    if not len(rows):
        return mean_or_zero(rows)
    weight = None
    if class_weights is not None:
        if len(class_weights) != rows.shape[1]:
            raise SettingsError(
                f"There are {len(class_weights)} class weights for {rows.shape[1]} "
                "classes with paint.",
                "Give one for each.",
            )
        weight = torch.as_tensor(class_weights, dtype=rows.dtype, device=rows.device)
    return functional.cross_entropy(
        rows, classes, weight=weight, label_smoothing=label_smoothing
    )
