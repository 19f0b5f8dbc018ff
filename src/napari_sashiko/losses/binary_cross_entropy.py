"""Weighted and balanced binary cross entropy, each class against the rest."""

from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from napari_sashiko.losses._masking import LOSSES, labelled_rows, mean_or_zero


@LOSSES.register("weighted_binary_cross_entropy")
def weighted_binary_cross_entropy(
    logits: Tensor, target: Tensor, *, beta: Annotated[float, Ge(0.0)] = 1.0
) -> Tensor:
    """Return ``-(beta p log q + (1 - p) log(1 - q))``, mean over voxels and classes.

    p is 1 where the class is true, q its softmax probability. With two classes and
    beta = 1 this is the cross entropy.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``, C >= 2.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    beta : float
        Above 1 misses cost more, below 1 false alarms do.

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing is labelled.
    """
    p, log_q, log_rest = _one_against_rest(*labelled_rows(logits, target))
    return mean_or_zero(-(beta * p * log_q + (1.0 - p) * log_rest))


@LOSSES.register("balanced_binary_cross_entropy")
def balanced_binary_cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    beta: Annotated[float, Ge(0.0), Le(1.0)] | None = None,
) -> Tensor:
    """Return ``-(beta p log q + (1 - beta)(1 - p) log(1 - q))``, mean as above.

    Parameters
    ----------
    logits : Tensor
        ``(B, C, *S)``, C >= 2.
    target : Tensor
        ``(B, *S)`` class ids 1..C, 0 where not labelled.
    beta : float, optional
        Weight of a class against its rest, in [0, 1]; without it the share of the
        labelled voxels that are *not* of the class, so that both sides weigh the same
        (Xie & Tu, ICCV 2015, eq. 2).

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing is labelled.
    """
    p, log_q, log_rest = _one_against_rest(*labelled_rows(logits, target))
    if not len(p):
        return mean_or_zero(log_q)
    weight = 1.0 - p.mean(dim=0) if beta is None else torch.full_like(p[0], beta)
    values = -(weight * p * log_q + (1.0 - weight) * (1.0 - p) * log_rest)
    return mean_or_zero(values)


def _one_against_rest(rows: Tensor, classes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return p, log q and log(1 - q), each ``(N, C)``.

    ``1 - q_c`` is the softmax sum over the other classes; taken as a logarithm of
    exponentials it keeps its slope where q rounds to 1.
    """
    count = rows.shape[1]
    every = torch.logsumexp(rows, dim=1, keepdim=True)
    others = [
        torch.logsumexp(torch.cat((rows[:, :c], rows[:, c + 1 :]), dim=1), dim=1)
        for c in range(count)
    ]
    p = functional.one_hot(classes, count).to(rows.dtype)
    return p, rows - every, torch.stack(others, dim=1) - every
