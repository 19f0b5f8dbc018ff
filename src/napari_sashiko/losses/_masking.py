"""What all losses share: the registry, and picking the labelled voxels."""

from typing import Protocol

import torch
from torch import Tensor

from napari_sashiko.registry import Registry


class Loss(Protocol):
    """A function of logits and target; settings are keyword-only and have defaults."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return a scalar.

        Parameters
        ----------
        logits : Tensor
            ``(B, C, *S)``.
        target : Tensor
            ``(B, *S)`` class ids 1..C, 0 where not labelled.
        """


LOSSES: Registry[Loss] = Registry("loss", "napari_sashiko.losses")


def labelled_rows(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return float32 logits ``(N, C)`` and class indices ``(N,)`` where labelled."""
    mask = target != 0
    return logits.movedim(1, -1)[mask].float(), target[mask].long() - 1


def mean_or_zero(values: Tensor) -> Tensor:
    """Return the mean; of nothing, a zero that still hangs on the graph."""
    return values.mean() if values.numel() else values.sum()


def overlaps(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return soft TP, FP and FN ``(B', C)`` of the samples that have labels.

    Sums run over the labelled voxels of one sample, with softmax probabilities.
    """
    mask = target != 0
    labelled = mask.flatten(1).any(dim=1)
    mask, logits, target = mask[labelled], logits[labelled], target[labelled]
    axes = tuple(range(2, logits.ndim))
    # Unlabelled voxels are zeroed before the softmax: a NaN there must not spread.
    seen = logits.float().masked_fill(~mask.unsqueeze(1), 0.0)
    q = torch.softmax(seen, dim=1) * mask.unsqueeze(1)
    ids = torch.arange(1, logits.shape[1] + 1, device=target.device)
    p = (target.unsqueeze(1) == ids.view(1, -1, *(1,) * len(axes))).to(q.dtype)
    both = (p * q).sum(axes)
    return both, q.sum(axes) - both, p.sum(axes) - both
