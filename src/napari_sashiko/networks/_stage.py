"""What networks with levels are made of: stages, and how far they see."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import Convolution, Norm, NormName, fold_scale
from napari_sashiko.networks._network import Network


class Stage(nn.Module):
    """Convolution, of three voxels' width where nothing else is said, norm, ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        norm: NormName,
        generator: Generator,
        kernel: int = 3,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.convolution = Convolution(
            in_channels,
            out_channels,
            dims=dims,
            generator=generator,
            kernel=kernel,
            dilation=dilation,
        )
        self.norm = Norm(out_channels) if norm == "batch" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Turn ``(B, in, *S)`` into ``(B, out, *S)``."""
        return functional.relu_(self.norm(self.convolution(x)))

    @torch.no_grad()
    def fold(self) -> None:
        """Move the norm into the convolution, in place."""
        if not isinstance(self.norm, Norm):
            return
        scale, shift = fold_scale(self.norm)
        layer = self.convolution
        layer.weight.mul_(scale.view(-1, *(1,) * (layer.weight.ndim - 1)))
        layer.bias.mul_(scale).add_(shift)
        self.norm = nn.Identity()


def stages(
    channels: list[int], *, dims: int, norm: NormName, generator: Generator
) -> nn.Sequential:
    """Stages one after another; `channels` are those before, between and after them."""
    return nn.Sequential(
        *(
            Stage(a, b, dims=dims, norm=norm, generator=generator)
            for a, b in pairwise(channels)
        )
    )


class StagedNetwork(Network):
    """A network whose norms all are in stages."""

    def folded(self) -> Self:
        """Return a copy whose norms are folded into the convolutions before them."""
        plain = super().folded()
        for module in plain.modules():
            if isinstance(module, Stage):
                module.fold()
        return plain


@dataclass(frozen=True)
class Reach:
    """How much of the input an element of a map depends on.

    Element k of a map with a step of `step` input voxels sees the input from
    ``k * step - before`` to ``k * step + after``.

    Parameters
    ----------
    step, before, after : int
        Input voxels.
    """

    step: int = 1
    before: int = 0
    after: int = 0

    def convolved(self, times: int = 1) -> "Reach":
        """After convolutions of three elements' width."""
        wider = times * self.step
        return Reach(self.step, self.before + wider, self.after + wider)

    def pooled(self, factor: int) -> "Reach":
        """After pooling over blocks."""
        after = self.after + (factor - 1) * self.step
        return Reach(self.step * factor, self.before, after)

    def upsampled(self, factor: int) -> "Reach":
        """After each element has become a block."""
        step = self.step // factor
        return Reach(step, self.before + self.step - step, self.after)

    def __or__(self, other: "Reach") -> "Reach":
        """Of a map that depends on both maps."""
        if self.step != other.step:
            raise ValueError(f"maps of steps {self.step} and {other.step} do not fit")
        before = max(self.before, other.before)
        return Reach(self.step, before, max(self.after, other.after))

    @property
    def radius(self) -> int:
        """Voxels in each direction at most."""
        return max(self.before, self.after)
