"""The convolutional autoencoder: a patch through a bottleneck of a few numbers."""

from math import prod
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from napari_sashiko.layers import (
    Convolution,
    NormName,
    enlarge,
    fill_normal,
    kaiming_std,
    max_pool,
)
from napari_sashiko.networks._encoder import ENCODERS, Coded, Encoder
from napari_sashiko.networks._stage import stages


@ENCODERS.register("autoencoder")
class Autoencoder(Encoder):
    """Convolutional autoencoder: what is kept of a patch suffices to make it again.

    Stages with pooling between them, a linear layer to the latent numbers, and all of
    it backwards. Source: Roberts et al., "DLSIA", J. Appl. Cryst. 57, 392 (2024),
    section 2.2.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights.
    edge : int
        Voxels of a patch along each axis.
    latent : int
        Numbers that are kept of a patch.
    depth : int
        Poolings, each to half the edge.
    base_channels : int
        Channels of the first level.
    growth_rate : float
        Channels of a level in those of the one above; need not be whole.
    widest : int
        No level has more channels than so many times the first.
    norm : {"batch", "none"}
        What follows each convolution.
    """

    name = "autoencoder"
    codes = 1  # outputs of the encoding half for each number that is kept

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        edge: Annotated[int, Ge(8), Le(512)] = 32,
        latent: Annotated[int, Ge(1), Le(1024)] = 16,
        depth: Annotated[int, Ge(1), Le(7)] = 3,
        base_channels: Annotated[int, Ge(1), Le(128)] = 16,
        growth_rate: Annotated[float, Gt(0.0), Le(4.0)] = 2.0,
        widest: Annotated[int, Ge(1), Le(256)] = 8,
        norm: NormName = "batch",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            edge=edge,
            latent=latent,
            depth=depth,
            base_channels=base_channels,
            growth_rate=growth_rate,
            widest=widest,
            norm=norm,
        )
        self.edge, self.latent = edge, latent
        self.receptive_radius = self.align = edge
        generator = torch.Generator().manual_seed(seed)
        how: dict[str, Any] = {"dims": dims, "norm": norm, "generator": generator}
        widths = _widths(depth, base_channels, growth_rate, widest)
        self._sizes = _halved(edge, depth)
        self._deepest = (widths[-1], *(self._sizes[-1],) * dims)
        self.down = nn.ModuleList(
            stages([before, after, after], **how)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.squeeze = _linear(prod(self._deepest), self.codes * latent, generator)
        self.spread = _linear(latent, prod(self._deepest), generator)
        self.up = nn.ModuleList(
            stages([widths[level + 1], widths[level]], **how)
            for level in reversed(range(depth))
        )
        self.head = Convolution(
            widths[0], out_channels, dims=dims, generator=generator, gain=1.0
        )

    def encode(self, x: Tensor) -> Tensor:
        """Turn patches ``(B, C, [Z,] Y, X)`` into latents ``(B, latent)``."""
        return self.look(x)

    def forward(self, x: Tensor) -> Coded:
        """Squeeze patches ``(B, C, [Z,] Y, X)`` and make them again."""
        latent = self.look(x)
        return Coded(self.make(latent), latent, latent.new_zeros(()))

    def look(self, x: Tensor) -> Tensor:
        """Turn patches into ``(B, codes * latent)``.

        Raises
        ------
        ValueError
            If patches are of another size.
        """
        if set(x.shape[2:]) != {self.edge}:
            raise ValueError(
                f"patches of {tuple(x.shape[2:])} voxels, edges are {self.edge}"
            )
        for level, stage in enumerate(self.down):
            x = stage(max_pool(x, 2) if level else x)
        code: Tensor = self.squeeze(x.flatten(1))
        return code

    def make(self, latent: Tensor) -> Tensor:
        """Make patches ``(B, C, [Z,] Y, X)`` of latents ``(B, latent)``."""
        x = self.spread(latent).view(-1, *self._deepest)
        for size, stage in zip(self._sizes[-2::-1], self.up, strict=True):
            x = enlarge(x, 2)
            for axis in range(2, x.ndim):
                x = x.narrow(axis, 0, size)
            x = stage(x)
        image: Tensor = self.head(x)
        return image


def _widths(depth: int, base: int, growth: float, widest: int) -> list[int]:
    """Channels, level by level; a part of a channel is left out."""
    widths = [base]
    for _ in range(depth):
        widths.append(min(max(int(widths[-1] * growth), 1), widest * base))
    return widths


def _halved(edge: int, depth: int) -> list[int]:
    """Edges of maps, level by level; a last partial block counts."""
    sizes = [edge]
    for _ in range(depth):
        sizes.append(-(-sizes[-1] // 2))
    return sizes


def _linear(before: int, after: int, generator: torch.Generator) -> nn.Linear:
    """Make a layer whose weights the generator draws; the global one stays as it is."""
    make: Any = nn.utils.skip_init  # has no types
    layer: nn.Linear = make(nn.Linear, before, after)
    fill_normal(layer.weight, kaiming_std(before, gain=1.0), generator)
    nn.init.zeros_(layer.bias)
    return layer
