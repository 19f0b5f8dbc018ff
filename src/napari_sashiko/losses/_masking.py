"""What all losses share: the registry, and picking the labelled voxels."""

from typing import Protocol

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
