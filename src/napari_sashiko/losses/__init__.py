"""Losses over labelled voxels: target 0 means not labelled and never counts."""

from napari_sashiko.losses._masking import LOSSES, Loss
from napari_sashiko.losses.cross_entropy import cross_entropy

__all__ = ["LOSSES", "Loss", "cross_entropy"]
