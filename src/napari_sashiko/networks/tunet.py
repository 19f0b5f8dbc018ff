"""TUNet: a U-Net whose depth, width and growth are free."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le
from torch import Generator, Tensor, nn

from napari_sashiko.layers import (
    Convolution,
    NormName,
    UpConvolution,
    crop_to,
    max_pool,
)
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Reach, StagedNetwork, stages


@NETWORKS.register("tunet")
class TUNet(StagedNetwork):
    """U-Net with depth d, base channels c_b, growth r and hidden rate r_h.

    Channels per level truncate: ``mid_0 = int(c_b)``, ``mid_i = int(out_{i-1} * r)``,
    ``out_i = int(mid_i * r_h)``. Encoder level i: two stages (convolution, norm, ReLU)
    to mid_i and out_i, max pooling between levels; decoder level i: transposed
    convolution to out_i, concatenation with the encoder's out_i, two stages to out_i
    and mid_i. An axis that the pooling does not divide is pooled over a partial last
    block and cropped on the way up. Source: Roberts et al., "DLSIA", J. Appl. Cryst.
    57, 392 (2024).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights.
    depth : int
        Levels, d.
    base_channels : int
        Channels of the first level, c_b.
    growth_rate : float
        Channels of a level over those of the level above, r.
    hidden_rate : float
        Channels after the second stage over those after the first, r_h.
    pool : int
        Edge of a pooling block, voxels.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    """

    name = "tunet"
    dilated = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        depth: Annotated[int, Ge(2), Le(8)] = 4,
        base_channels: Annotated[int, Ge(1), Le(512)] = 16,
        growth_rate: Annotated[float, Gt(0.0), Le(4.0)] = 2.0,
        hidden_rate: Annotated[float, Gt(0.0), Le(4.0)] = 1.0,
        pool: Annotated[int, Ge(2), Le(4)] = 2,
        norm: NormName = "batch",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            depth=depth,
            base_channels=base_channels,
            growth_rate=growth_rate,
            hidden_rate=hidden_rate,
            pool=pool,
            norm=norm,
        )
        self.align = pool ** (depth - 1)
        self.receptive_radius = _receptive_radius(depth, pool)
        self._pool = pool
        mid, out = level_channels(depth, base_channels, growth_rate, hidden_rate)
        self._build(mid, out, norm, torch.Generator().manual_seed(seed))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        skips: list[Tensor] = []
        for level, encode in enumerate(self.encoder):
            x = encode(max_pool(x, self._pool) if level else x)
            skips.append(x)
        skips.pop()
        for up, decode in zip(self.ups, self.decoder, strict=True):
            skip = skips.pop()
            x = decode(torch.cat((skip, crop_to(up(x), skip)), dim=1))
        logits: Tensor = self.head(x)
        return logits

    def _build(
        self, mid: list[int], out: list[int], norm: NormName, generator: Generator
    ) -> None:
        how: dict[str, Any] = {"dims": self.dims, "norm": norm, "generator": generator}
        befores = [self.in_channels, *out[:-1]]
        levels = range(len(mid) - 2, -1, -1)
        below = [out[-1], *(mid[i] for i in levels[:-1])]
        self.encoder = nn.ModuleList(
            stages([before, m, o], **how)
            for before, m, o in zip(befores, mid, out, strict=True)
        )
        self.ups = nn.ModuleList(
            UpConvolution(
                channels,
                out[i],
                dims=self.dims,
                factor=self._pool,
                generator=generator,
            )
            for channels, i in zip(below, levels, strict=True)
        )
        self.decoder = nn.ModuleList(
            stages([2 * out[i], out[i], mid[i]], **how) for i in levels
        )
        self.head = Convolution(
            mid[0],
            self.out_channels,
            dims=self.dims,
            generator=generator,
            kernel=1,
            gain=1.0,
        )


def level_channels(
    depth: int, base_channels: int, growth_rate: float, hidden_rate: float
) -> tuple[list[int], list[int]]:
    """Return channels after the first and after the second stage of each level.

    No level has less than one channel.
    """
    mid, out = [base_channels], [max(int(base_channels * hidden_rate), 1)]
    for _ in range(depth - 1):
        mid.append(max(int(out[-1] * growth_rate), 1))
        out.append(max(int(mid[-1] * hidden_rate), 1))
    return mid, out


def _receptive_radius(depth: int, pool: int) -> int:
    """Return the voxels that a logit sees in each direction at most."""
    levels = [Reach().convolved(2)]
    for _ in range(depth - 1):
        levels.append(levels[-1].pooled(pool).convolved(2))
    reach = levels.pop()
    while levels:
        reach = (reach.upsampled(pool) | levels.pop()).convolved(2)
    return reach.radius
