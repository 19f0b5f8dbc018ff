"""AlexNet: the voxel in the middle of a patch, classified by the patch."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.errors import SettingsError
from napari_sashiko.layers import Convolution, Dropout, NormName, convolve, max_around
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
        227 in the paper.
    stride : int
        Of the first convolution, whose kernel has ``2 * stride + 3`` taps. 4 in the
        paper; above 1, detail that is finer is told by the first convolution only.
    base_channels : int
        Channels of the first convolution; the others have 8/3, 4, 4 and 8/3 times as
        many. 96 in the paper.
    hidden_channels : int
        Channels of both hidden dense layers. 4096 in the paper, which takes a GPU.
    dropout : float
        Share of hidden values that are dropped while training. 0.5 in the paper.
    norm : {"batch", "none"}
        What follows each convolution.

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
        patch: Annotated[int, Ge(51), Le(1024)] = 59,
        stride: Annotated[int, Ge(1), Le(4)] = 1,
        base_channels: Annotated[int, Ge(1), Le(128)] = 24,
        hidden_channels: Annotated[int, Ge(1), Le(4096)] = 256,
        dropout: Annotated[float, Ge(0), Le(0.9)] = 0.5,
        norm: NormName = "batch",
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
        )
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
        apart = self.settings["stride"]
        for level in self.levels:
            x = max_around(level(x), POOL, dilation=apart)
            apart *= 2
        x = self.drop(functional.relu(self._whole_patch(x)))
        x = self.drop(functional.relu(self.hidden(x)))
        logits: Tensor = self.head(x)
        return logits

    def _whole_patch(self, x: Tensor) -> Tensor:
        """Apply the first dense layer, which reads the maps of a whole patch."""
        layer = self.dense
        margin = layer.dilation * (layer.weight.shape[-1] - 1) // 2
        x = functional.pad(x, [margin] * (2 * self.dims), mode="replicate")
        return convolve(
            x, layer.weight, layer.bias, dilation=layer.dilation, padded=False
        )


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
