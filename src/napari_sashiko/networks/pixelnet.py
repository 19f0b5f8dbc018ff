"""PixelNet: each pixel judged by itself, by what all levels say there."""

from collections.abc import Iterator
from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import Convolution, NormName, crop_to, enlarge, max_pool
from napari_sashiko.networks._blocks import Box, in_blocks, part_of
from napari_sashiko.networks._drawn import (
    Places,
    lined_up,
    put_back,
    rows_at,
    wide_sums,
)
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Reach, StagedNetwork, stages
from napari_sashiko.networks.segnet import convolutions


@NETWORKS.register("pixelnet")
class PixelNet(StagedNetwork):
    """PixelNet: hypercolumns of VGG-16's levels and a perceptron for each pixel.

    A pixel's hypercolumn is what the last convolution of each level says there; two
    hidden layers and a linear one turn it into logits. While it learns, some pixels of
    each patch are drawn from those that are painted, or are to be restored, and there
    are hypercolumns of these alone: the layers take memory by the pixel drawn, not by
    the patch. The first layer is applied level by level before upsampling, which is the
    same and takes a fraction of the memory; upsampling repeats pixels. Source: Bansal
    et al., "PixelNet", arXiv 1702.06506 (2017), section 3.

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
        Channels of both hidden layers. As in the paper they take a GPU; a CPU learns
        with 256.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    pixels : int
        Pixels, or voxels, of each patch that are drawn to learn from at once.
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
        hidden_channels: Annotated[int, Ge(1), Le(4096)] = 4096,
        norm: NormName = "batch",
        pixels: Annotated[int, Ge(1), Le(65536)] = 2000,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            depth=depth,
            base_channels=base_channels,
            hidden_channels=hidden_channels,
            norm=norm,
            pixels=pixels,
        )
        self.drawn = pixels
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
        levels = [seen for seen, _ in self._levels(x)]
        return in_blocks(
            lambda box: self._judged(self._summed(levels, box)),
            x,
            self.hidden.weight.shape[0],
            align=self.align,
        )

    def _summed(self, levels: list[Tensor], box: Box | None) -> Tensor:
        """What the first layer says of a box that begins where coarse pixels do."""
        total: Tensor | None = None
        for level, (seen, column) in enumerate(zip(levels, self.columns, strict=True)):
            said = column(
                seen if box is None else part_of(seen, _coarse(box, 2**level))
            )
            if total is None:
                total = said
            else:
                total = total + crop_to(enlarge(said, 2**level), total)
        return total  # type: ignore[return-value]

    def penalised(self, x: Tensor, where: Tensor | None = None) -> tuple[Tensor, float]:
        """As `forward`, without a penalty; zeros where no pixel was drawn."""
        if where is None:
            return self(x), 0.0
        batch, *place = where.nonzero(as_tuple=True)
        total = sum(
            _said_at(column, seen, (batch, *(axis // 2**level for axis in place)))
            for level, (seen, column) in enumerate(self._levels(x))
        )
        return put_back(self._judged(total), where), 0.0  # type: ignore[arg-type]

    def _levels(self, x: Tensor) -> Iterator[tuple[Tensor, nn.Module]]:
        """What the last convolution of each level says, and what reads it."""
        pairs = zip(self.encoder, self.columns, strict=True)
        for level, (encode, column) in enumerate(pairs):
            x = encode(max_pool(x, 2) if level else x)
            yield x, column

    def _judged(self, total: Tensor) -> Tensor:
        """Turn what the first layer says ``(B, hidden, *S)`` into logits."""
        logits: Tensor = self.head(functional.relu(self.hidden(functional.relu(total))))
        return logits


def _coarse(box: Box, step: int) -> Box:
    """Where a box of the image lies in a map of coarser pixels."""
    return tuple((start // step, -(-stop // step)) for start, stop in box)


def _said_at(layer: nn.Module, x: Tensor, places: Places) -> Tensor:
    """What a layer says at N places of ``(B, C, *S)``: ``(1, C', N, 1[, 1])``.

    Coarse maps have fewer voxels than places that fall on them: there it comes first.
    """
    dims = x.ndim - 2
    if x[:, 0].numel() < len(places[0]):
        return lined_up(rows_at(wide_sums(layer(x)), places), dims)
    lined: Tensor = layer(lined_up(rows_at(x, places), dims))
    return lined


def _receptive_radius(depth: int) -> int:
    """Return the voxels that a logit sees in each direction at most."""
    reach, seen = Reach(), Reach()
    for level, count in enumerate(convolutions(depth)):
        reach = (reach.pooled(2) if level else reach).convolved(count)
        seen |= reach.upsampled(reach.step)
    return seen.radius
