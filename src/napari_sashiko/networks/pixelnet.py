"""PixelNet: each pixel judged by itself, by what all levels say there."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import Convolution, NormName, crop_to, enlarge, max_pool
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Reach, StagedNetwork, stages
from napari_sashiko.networks.segnet import convolutions


@NETWORKS.register("pixelnet")
class PixelNet(StagedNetwork):
    """PixelNet: hypercolumns of VGG-16's levels and a perceptron for each pixel.

    A pixel's hypercolumn is what the last convolution of each level says there; two
    hidden layers and a linear one turn it into logits. The paper draws some pixels of
    each picture for the loss; here all labelled ones of a patch have one, so that paint
    does the drawing. The first layer is applied level by level before upsampling, which
    is the same and takes a fraction of the memory; upsampling repeats pixels. Source:
    Bansal et al., "PixelNet", arXiv 1702.06506 (2017), section 3.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights.
    depth : int
        Levels.
    base_channels : int
        Channels of the first level; level i has ``min(2 ** i, 8)`` times as many.
    hidden_channels : int
        Channels of both hidden layers; 4096 in the paper, which takes a large GPU.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    """

    name = "pixelnet"
    dilated = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        depth: Annotated[int, Ge(1), Le(5)] = 5,
        base_channels: Annotated[int, Ge(1), Le(128)] = 64,
        hidden_channels: Annotated[int, Ge(1), Le(4096)] = 256,
        norm: NormName = "batch",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            depth=depth,
            base_channels=base_channels,
            hidden_channels=hidden_channels,
            norm=norm,
        )
        self.align = 2 ** (depth - 1)
        self.receptive_radius = _receptive_radius(depth)
        generator = torch.Generator().manual_seed(seed)
        how: dict[str, Any] = {"dims": dims, "norm": norm, "generator": generator}
        single: dict[str, Any] = {"dims": dims, "generator": generator, "kernel": 1}
        widths = [base_channels * min(2**level, 8) for level in range(depth)]
        befores = [in_channels, *widths[:-1]]
        counts = convolutions(depth)
        self.encoder = nn.ModuleList(
            stages([before, *[width] * count], **how)
            for before, width, count in zip(befores, widths, counts, strict=True)
        )
        self.columns = nn.ModuleList(
            Convolution(width, hidden_channels, gain=(2.0 / depth) ** 0.5, **single)
            for width in widths
        )
        self.hidden = Convolution(hidden_channels, hidden_channels, **single)
        self.head = Convolution(hidden_channels, out_channels, gain=1.0, **single)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        total: Tensor | None = None
        for level, (encode, column) in enumerate(
            zip(self.encoder, self.columns, strict=True)
        ):
            x = encode(max_pool(x, 2) if level else x)
            said = column(x)
            if total is None:
                total = said
            else:
                total = total + crop_to(enlarge(said, 2**level), total)
        logits: Tensor = self.head(
            functional.relu(self.hidden(functional.relu(total)))  # type: ignore[arg-type]
        )
        return logits


def _receptive_radius(depth: int) -> int:
    """Return the voxels that a logit sees in each direction at most."""
    reach, seen = Reach(), Reach()
    for level, count in enumerate(convolutions(depth)):
        reach = (reach.pooled(2) if level else reach).convolved(count)
        seen |= reach.upsampled(reach.step)
    return seen.radius
