"""Torch bricks written once for 2D and 3D."""

from napari_sashiko.layers.addition import add
from napari_sashiko.layers.convolution import (
    Convolution,
    channels_last,
    convolve,
)
from napari_sashiko.layers.dense import Dense
from napari_sashiko.layers.dropout import Dropout
from napari_sashiko.layers.filling import fill_unknown
from napari_sashiko.layers.initialisation import fill_normal, kaiming_std
from napari_sashiko.layers.narrow import compiles_narrow, convolve_narrow, in_shares
from napari_sashiko.layers.native import (
    MARGIN,
    MOST_OUTPUTS,
    has_native,
    native_sum,
)
from napari_sashiko.layers.norm import Norm, NormName, fold_scale, make_norm
from napari_sashiko.layers.pooling import (
    crop_to,
    max_around,
    max_pool,
    max_pool_places,
    unpool,
)
from napari_sashiko.layers.upsampling import UpConvolution, enlarge

__all__ = [
    "MARGIN",
    "MOST_OUTPUTS",
    "Convolution",
    "Dense",
    "Dropout",
    "Norm",
    "NormName",
    "UpConvolution",
    "add",
    "channels_last",
    "compiles_narrow",
    "convolve",
    "convolve_narrow",
    "crop_to",
    "enlarge",
    "fill_normal",
    "fill_unknown",
    "fold_scale",
    "has_native",
    "in_shares",
    "kaiming_std",
    "make_norm",
    "max_around",
    "max_pool",
    "max_pool_places",
    "native_sum",
    "unpool",
]
