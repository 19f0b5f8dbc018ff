"""TUNet3+: a TUNet whose decoder levels gather from all levels."""

from typing import Annotated, Any, cast

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from napari_sashiko.layers import Convolution, NormName, crop_to, enlarge, max_pool
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Reach, Stage, StagedNetwork, stages
from napari_sashiko.networks.tunet import level_channels


@NETWORKS.register("tunet3plus")
class TUNet3Plus(StagedNetwork):
    """TUNet with full-scale skip connections.

    The encoder is TUNet's. Decoder level j of d gathers from every level i: the pooled
    encoder i above it, its own encoder, the upsampled decoder i below it (at the
    bottom, the encoder), each through a stage to c channels; the d * c channels then
    pass a stage of their own. Upsampling repeats voxels. Sources: Roberts et al.,
    "DLSIA", J. Appl. Cryst. 57, 392 (2024); Huang et al., "UNet 3+", ICASSP, 1055
    (2020), equation 1.

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
        Channels of the first level.
    growth_rate : float
        Channels of an encoder level over those of the level above.
    hidden_rate : float
        Channels after the second stage over those after the first.
    carry_channels : int
        Channels that a decoder level takes from each level, c.
    pool : int
        Edge of a pooling block, voxels.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    """

    name = "tunet3plus"
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
        carry_channels: Annotated[int, Ge(1), Le(512)] = 16,
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
            carry_channels=carry_channels,
            pool=pool,
            norm=norm,
        )
        self.align = pool ** (depth - 1)
        self.receptive_radius = _receptive_radius(depth, pool)
        self._pool = pool
        generator = torch.Generator().manual_seed(seed)
        how: dict[str, Any] = {"dims": dims, "norm": norm, "generator": generator}
        mid, out = level_channels(depth, base_channels, growth_rate, hidden_rate)
        befores = [in_channels, *out[:-1]]
        self.encoder = nn.ModuleList(
            stages(list(channels), **how)
            for channels in zip(befores, mid, out, strict=True)
        )
        gathered = depth * carry_channels
        self.carries = nn.ModuleList()  # from the lowest decoder level up
        self.decoder = nn.ModuleList()
        for level in range(depth - 2, -1, -1):
            below = [gathered] * (depth - 2 - level)
            sources = [*out[: level + 1], *below, out[-1]]
            self.carries.append(
                nn.ModuleList(Stage(each, carry_channels, **how) for each in sources)
            )
            self.decoder.append(Stage(gathered, gathered, **how))
        self.head = Convolution(
            gathered, out_channels, dims=dims, generator=generator, kernel=1, gain=1.0
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        maps: list[Tensor] = []  # by level; from below they become the decoder's
        for level, encode in enumerate(self.encoder):
            x = encode(max_pool(x, self._pool) if level else x)
            maps.append(x)
        steps = zip(self.carries, self.decoder, strict=True)
        for level, (carries, decode) in zip(
            range(len(maps) - 2, -1, -1), steps, strict=True
        ):
            parts = [
                carry(self._brought(source, origin - level, maps[level]))
                for origin, (source, carry) in enumerate(
                    zip(maps, cast(nn.ModuleList, carries), strict=True)
                )
            ]
            maps[level] = decode(torch.cat(parts, dim=1))
        logits: Tensor = self.head(maps[0])
        return logits

    def _brought(self, source: Tensor, below: int, like: Tensor) -> Tensor:
        """A map from `below` levels further down (negative: up), at this level."""
        if below > 0:
            return crop_to(enlarge(source, self._pool**below), like)
        return max_pool(source, self._pool**-below) if below else source


def _receptive_radius(depth: int, pool: int) -> int:
    """Return the voxels that a logit sees in each direction at most."""
    maps = [Reach().convolved(2)]
    for _ in range(depth - 1):
        maps.append(maps[-1].pooled(pool).convolved(2))
    for level in range(depth - 2, -1, -1):
        gathered = maps[level]
        for origin, source in enumerate(maps):
            factor = pool ** abs(origin - level)
            moved = source.upsampled if origin > level else source.pooled
            gathered = gathered | moved(factor)
        maps[level] = gathered.convolved(2)
    return maps[0].radius
