"""AlexNet: the voxel in the middle of a patch, classified by the patch."""

import itertools
from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.errors import SettingsError
from napari_sashiko.layers import Convolution, Dropout, NormName, convolve, max_around
from napari_sashiko.networks._blocks import Box, in_blocks, part_of
from napari_sashiko.networks._drawn import lined_up, put_back, rows_at, wide_sums
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks._stage import Stage, StagedNetwork

POOL = 3  # voxels of a pooling, two apart: poolings overlap
SHARES = (3, 8, 12, 12, 8)  # channels of the five convolutions, thirds of the first


@NETWORKS.register("alexnet")
class AlexNet(StagedNetwork):
    """AlexNet as a classifier of the voxel in the middle of a patch.

    Five convolutions, three poolings, three dense layers. Strategy: instead of a patch
    for each voxel, the whole image is seen at once. What a stride would leave out is
    computed for the other voxels, so a stride becomes a dilation of all that follows,
    and a dense layer a convolution as wide as the maps that are left: the same weights
    and the same logits, wherever the patch lies in the image. Nothing is padded within
    a patch, other than in the paper; at the faces of the image convolutions see zeros,
    and dense layers, whose taps are far apart, the nearest there is.

    Source: Krizhevsky, Sutskever & Hinton, NIPS (2012), section 3, with batch instead
    of local response normalisation; as a classifier of voxels: Ciresan et al., NIPS
    (2012). For whole images: Giusti et al., ICIP (2013), and Sermanet et al., ICLR
    (2014), section 3.5.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights, and what is dropped while training.
    patch : int
        Edge of the patch, voxels: ``40 * stride + 3`` and a multiple of ``8 * stride``.
    stride : int
        Of the first convolution, whose kernel has ``2 * stride + 3`` taps. Above 1,
        detail that is finer is told by the first convolution only.
    base_channels : int
        Channels of the first convolution; the others have 8/3, 4, 4 and 8/3 times as
        many.
    hidden_channels : int
        Channels of both hidden dense layers. As in the paper they take a GPU.
    dropout : float
        Share of hidden values that are dropped while training.
    norm : {"batch", "none"}
        What follows each convolution.
    pixels : int
        Pixels, or voxels, of each patch of a volume that are drawn to learn from at
        once.

    Raises
    ------
    SettingsError
        If strides do not divide the patch.
    """

    name = "alexnet"
    fades = False  # the rim of a patch counts as much as its middle

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        patch: Annotated[int, Ge(51), Le(1024)] = 227,
        stride: Annotated[int, Ge(1), Le(4)] = 4,
        base_channels: Annotated[int, Ge(1), Le(128)] = 96,
        hidden_channels: Annotated[int, Ge(1), Le(4096)] = 4096,
        dropout: Annotated[float, Ge(0), Le(0.9)] = 0.5,
        norm: NormName = "batch",
        pixels: Annotated[int, Ge(1), Le(65536)] = 100,
    ) -> None:
        left = _left(patch, stride)
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            patch=patch,
            stride=stride,
            base_channels=base_channels,
            hidden_channels=hidden_channels,
            dropout=dropout,
            norm=norm,
            pixels=pixels,
        )
        self.drawn = pixels
        self.receptive_radius = patch // 2
        generator = torch.Generator().manual_seed(seed)
        how: dict[str, Any] = {"dims": dims, "generator": generator}
        one, two, three, four, five = layer_channels(base_channels)
        first: dict[str, Any] = {**how, "norm": norm, "kernel": 2 * stride + 3}
        second: dict[str, Any] = {**how, "norm": norm, "dilation": 2 * stride}
        third: dict[str, Any] = {**how, "norm": norm, "dilation": 4 * stride}
        self.levels = nn.ModuleList(
            [
                nn.Sequential(Stage(in_channels, one, **first)),
                nn.Sequential(Stage(one, two, kernel=5, **second)),
                nn.Sequential(
                    Stage(two, three, **third),
                    Stage(three, four, **third),
                    Stage(four, five, **third),
                ),
            ]
        )
        self.dense = Convolution(
            five, hidden_channels, kernel=left, dilation=8 * stride, **how
        )
        self.hidden = Convolution(hidden_channels, hidden_channels, kernel=1, **how)
        self.drop = Dropout(dropout, seed=seed)
        self.head = Convolution(
            hidden_channels, out_channels, kernel=1, gain=1.0, **how
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        seen, layer = self._seen(x), self.dense
        margin = self._margin
        seen = functional.pad(seen, [margin] * (2 * self.dims), mode="replicate")

        def judged(box: Box | None) -> Tensor:
            part = seen
            if box is not None:
                around = tuple((start, stop + 2 * margin) for start, stop in box)
                part = part_of(seen, around)
            return self._judged(
                convolve(
                    part,
                    layer.weight,
                    layer.bias,
                    dilation=layer.dilation,
                    padded=False,
                )
            )

        return in_blocks(judged, x, layer.weight.shape[0])

    def penalised(self, x: Tensor, where: Tensor | None = None) -> tuple[Tensor, float]:
        """As `forward`, without a penalty; zeros where no pixel was drawn."""
        if where is None:
            return self(x), 0.0
        batch, *place = where.nonzero(as_tuple=True)
        seen, layer = wide_sums(self._seen(x)), self.dense
        taps = range(-self._margin, self._margin + 1, layer.dilation)
        columns = []
        for shift in itertools.product(taps, repeat=self.dims):
            moved = (
                (axis + by).clamp(0, size - 1)
                for axis, by, size in zip(place, shift, x.shape[2:], strict=True)
            )
            columns.append(rows_at(seen, (batch, *moved)))
        rows = torch.stack(columns, dim=2).flatten(1)
        said = functional.linear(rows, layer.weight.flatten(1), layer.bias)
        return put_back(self._judged(lined_up(said, self.dims)), where), 0.0

    @property
    def _margin(self) -> int:
        """Voxels that the first dense layer sees in each direction."""
        return self.dense.dilation * (self.dense.weight.shape[-1] - 1) // 2

    def _seen(self, x: Tensor) -> Tensor:
        """Maps of the convolutions, of which dense layers see some around a voxel."""
        apart = self.settings["stride"]
        for level in self.levels:
            x = max_around(level(x), POOL, dilation=apart)
            apart *= 2
        return x

    def _judged(self, x: Tensor) -> Tensor:
        """Turn what the first dense layer says ``(B, hidden, *S)`` into logits."""
        x = self.drop(functional.relu(x))
        x = self.drop(functional.relu(self.hidden(x)))
        logits: Tensor = self.head(x)
        return logits


def layer_channels(base_channels: int) -> list[int]:
    """Channels of the five convolutions."""
    return [max(1, base_channels * share // 3) for share in SHARES]


def _left(patch: int, stride: int) -> int:
    """Edge of the maps that dense layers read: what poolings leave of a patch."""
    step = 8 * stride
    left, over = divmod(patch - 40 * stride - 3, step)
    if left < 1:
        raise SettingsError(
            f"A patch of {patch} voxels is too small for a stride of {stride}.",
            f"Take {48 * stride + 3} voxels or more.",
        )
    if over:
        below, above = patch - over, patch - over + step
        raise SettingsError(
            f"A patch of {patch} voxels is not divided by the network's strides.",
            f"Take {below} or {above} voxels.",
        )
    return left
