"""Losses over labelled voxels: target 0 means not labelled and never counts."""

from napari_sashiko.losses._building import build_loss
from napari_sashiko.losses._masking import LOSSES, Loss
from napari_sashiko.losses.binary_cross_entropy import (
    balanced_binary_cross_entropy,
    weighted_binary_cross_entropy,
)
from napari_sashiko.losses.cross_entropy import cross_entropy
from napari_sashiko.losses.dice import dice
from napari_sashiko.losses.dice_bce import dice_bce
from napari_sashiko.losses.focal import focal
from napari_sashiko.losses.focal_tversky import focal_tversky
from napari_sashiko.losses.images import (
    IMAGE_LOSSES,
    ImageLoss,
    l1,
    l2,
    total_variation,
)
from napari_sashiko.losses.soft_cross_entropy import soft_cross_entropy
from napari_sashiko.losses.tversky import tversky

__all__ = [
    "IMAGE_LOSSES",
    "LOSSES",
    "ImageLoss",
    "Loss",
    "balanced_binary_cross_entropy",
    "build_loss",
    "cross_entropy",
    "dice",
    "dice_bce",
    "focal",
    "focal_tversky",
    "l1",
    "l2",
    "soft_cross_entropy",
    "total_variation",
    "tversky",
    "weighted_binary_cross_entropy",
]
