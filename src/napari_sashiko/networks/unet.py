"""U-Net as it was published: a preset of TUNet."""

from typing import Annotated

from annotated_types import Ge, Le

from napari_sashiko.layers import NormName
from napari_sashiko.networks._network import NETWORKS
from napari_sashiko.networks.tunet import TUNet


@NETWORKS.register("unet")
class UNet(TUNet):
    """U-Net: five levels from 64 channels, doubled at each pooling, no norms.

    Convolutions keep the size instead of losing a border, as in all networks here.
    Source: Ronneberger, Fischer & Brox, MICCAI, LNCS 9351, 234 (2015), figure 1.

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
        Channels of the first level.
    norm : {"batch", "none"}
        What follows each 3x3(x3) convolution.
    """

    name = "unet"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        depth: Annotated[int, Ge(2), Le(8)] = 5,
        base_channels: Annotated[int, Ge(1), Le(512)] = 64,
        norm: NormName = "none",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            seed=seed,
            depth=depth,
            base_channels=base_channels,
            norm=norm,
        )
        self.settings = {"depth": depth, "base_channels": base_channels, "norm": norm}
