"""Labels: classes, sparse paint, and what is wrong with it."""

from napari_sashiko.labels.classes import PALETTE, LabelClass, default_classes
from napari_sashiko.labels.labelled import LabelledVoxels, labelled_voxels

__all__ = [
    "PALETTE",
    "LabelClass",
    "LabelledVoxels",
    "default_classes",
    "labelled_voxels",
]
