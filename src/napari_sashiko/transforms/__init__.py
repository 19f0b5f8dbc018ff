"""Transforms that image and labels of a training patch undergo together."""

from napari_sashiko.transforms._transform import (
    TRANSFORMS,
    Transform,
    build_transforms,
    equal_planes,
)
from napari_sashiko.transforms.flips import Flips
from napari_sashiko.transforms.half_turns import HalfTurns
from napari_sashiko.transforms.rotations import Rotations

__all__ = [
    "TRANSFORMS",
    "Flips",
    "HalfTurns",
    "Rotations",
    "Transform",
    "build_transforms",
    "equal_planes",
]
