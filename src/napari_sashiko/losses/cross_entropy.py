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
    balanced: bool = False,
    label_smoothing: Annotated[float, Ge(0.0), Le(1.0)] = 0.0,
) -> Tensor:
    """Return the mean of ``-log p_t`` over labelled voxels, weighted if asked to.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    class_weights : sequence of float, optional
        One weight per class; the mean is then weighted (sum of weights in the
        denominator).
    balanced : bool
        Weigh each voxel by the inverse of how many of its class there are in the
        batch, so that all classes there weigh the same.
    label_smoothing : float
        Share of the target spread evenly over the classes, in [0, 1].

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing is labelled, or nothing that has
        any weight.
    """
    rows, classes = labelled_rows(logits, target)
    if not len(rows):
        return mean_or_zero(rows)
    if class_weights is None and not balanced:
        return functional.cross_entropy(rows, classes, label_smoothing=label_smoothing)
    weight = _weights(rows, class_weights)
    surprise = functional.cross_entropy(
        rows, classes, weight=weight, label_smoothing=label_smoothing, reduction="none"
    )
    share = torch.ones_like(surprise)
    if balanced:
        share = 1.0 / classes.bincount(minlength=len(weight))[classes]
    total = (share * weight[classes]).sum()
    # A batch of classes that weigh nothing says nothing: 0 / 0 would end the training.
    scale = torch.where(total > 0, 1.0 / total, 0.0)
    return (share * surprise).sum() * scale


def _weights(rows: Tensor, given: Sequence[float] | None) -> Tensor:
    """One for each class ``(C,)``, as given."""
    if given is None:
        return rows.new_ones(rows.shape[1])
    if len(given) != rows.shape[1]:
        raise SettingsError(
            f"There are {len(given)} class weights for {rows.shape[1]} classes with "
            "paint.",
            "Give one for each.",
        )
    return torch.as_tensor(given, dtype=rows.dtype, device=rows.device)
