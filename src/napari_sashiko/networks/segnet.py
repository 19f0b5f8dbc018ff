"""SegNet: maxima go back to where they came from."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from napari_sashiko.layers import Convolution, NormName, max_pool_places, unpool
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Reach, StagedNetwork, stages

FEW, MANY = 2, 3  # convolutions of a level, of the first two and of the others


@NETWORKS.register("segnet")
class SegNet(StagedNetwork):
    """SegNet: the convolutions of VGG-16, and a decoder that unpools by their maxima.

    Level i has two stages (three from the third level on) of ``min(2 ** i, 8)`` times
    the base channels, then max pooling by 2, whose places are kept. The decoder mirrors
    it: each maximum is put back to its place among zeros, and stages fill the gaps.
    Source: Badrinarayanan, Kendall & Cipolla, IEEE Trans. Pattern Anal. Mach. Intell.
    39, 2481 (2017), section 3.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights.
    depth : int
        Poolings.
    base_channels : int
        Channels of the first level.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    """

    name = "segnet"
    dilated = False
    half_precision = False  # rounding sends maxima back to other places

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        depth: Annotated[int, Ge(1), Le(5)] = 5,
        base_channels: Annotated[int, Ge(1), Le(128)] = 64,
        norm: NormName = "batch",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            depth=depth,
            base_channels=base_channels,
            norm=norm,
        )
        self.align = 2**depth
        self.receptive_radius = _receptive_radius(depth)
        generator = torch.Generator().manual_seed(seed)
        how: dict[str, Any] = {"dims": dims, "norm": norm, "generator": generator}
        widths = [base_channels * min(2**level, 8) for level in range(depth)]
        counts = convolutions(depth)
        befores = [in_channels, *widths[:-1]]
        self.encoder = nn.ModuleList(
            stages([before, *[width] * count], **how)
            for before, width, count in zip(befores, widths, counts, strict=True)
        )
        afters = [widths[0], *widths[:-1]]
        mirrored = list(zip(widths, afters, counts, strict=True))[::-1]
        *deep, (width, _, count) = mirrored
        self.decoder = nn.ModuleList(
            stages([*[width] * count, after], **how) for width, after, count in deep
        )
        # The last convolution of all is the head.
        self.decoder.append(stages([width] * count, **how))
        self.head = Convolution(
            widths[0], out_channels, dims=dims, generator=generator, gain=1.0
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        places: list[tuple[Tensor, torch.Size]] = []
        for encode in self.encoder:
            x = encode(x)
            size = x.shape
            x, where = max_pool_places(x, 2)
            places.append((where, size))
        for decode in self.decoder:
            x = decode(unpool(x, *places.pop()))
        logits: Tensor = self.head(x)
        return logits


def convolutions(depth: int) -> list[int]:
    """Convolutions of each level, as in VGG-16."""
    return [FEW if level < 2 else MANY for level in range(depth)]


def _receptive_radius(depth: int) -> int:
    """Return the voxels that a logit sees in each direction at most."""
    reach, counts = Reach(), convolutions(depth)
    for count in counts:
        reach = reach.convolved(count).pooled(2)
    for count in counts[::-1]:
        reach = reach.upsampled(2).convolved(count)
    return reach.radius
