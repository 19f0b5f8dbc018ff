"""Batch normalisation for any number of spatial axes, and its folding into weights."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NormName = Literal["batch", "none"]


class Norm(nn.Module):
    """Batch normalisation with running statistics in evaluation.

    A batch with a single value per channel (one voxel at the bottom of a pooling
    network) has no spread: it is normalised by the running statistics instead.

    Parameters
    ----------
    channels : int
        Feature maps.
    momentum : float
        Share of the newest batch in the running statistics.
    eps : float
        Added to the variance.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, channels: int, *, momentum: float = 0.1, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(B, C, *S)`` per channel."""
        return functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training and x.numel() > x.shape[1],
            momentum=self.momentum,
            eps=self.eps,
        )


class Shift(nn.Module):
    """A bias per channel: what stands in for a norm where there is none."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Add the bias to ``(B, C, *S)``."""
        return x + self.bias.view(1, -1, *(1,) * (x.ndim - 2))


def make_norm(norm: NormName, channels: int) -> nn.Module:
    """Return what follows a sum of convolutions without bias: `Norm` or a bias."""
    return Norm(channels) if norm == "batch" else Shift(channels)


@torch.no_grad()
def fold_scale(norm: Norm) -> tuple[Tensor, Tensor]:
    """Return scale and shift ``(C,)`` that equal ``norm`` in evaluation mode."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
