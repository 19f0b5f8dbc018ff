"""Rotations by any angle."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._resampling import centred, resample
from napari_sashiko.transforms._transform import TRANSFORMS, equal_planes


@TRANSFORMS.register("turns")
class Turns:
    """Turn each patch by any angle in one plane whose voxels are square.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``; decides which planes keep physical shape.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        self.planes = equal_planes(dims, voxel_size)

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return turned copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        if not self.planes:
            return image, target
        chosen = torch.randint(len(self.planes), (len(image),), generator=generator)
        angles = 2 * math.pi * torch.rand(len(image), generator=generator)
        places = centred(image.shape[2:]).repeat(len(image), *(1,) * (image.ndim - 1))
        for patch, number, angle in zip(places, chosen.tolist(), angles, strict=True):
            one, two = self.planes[number]
            a, b = patch[..., one].clone(), patch[..., two].clone()
            patch[..., one] = angle.cos() * a - angle.sin() * b
            patch[..., two] = angle.sin() * a + angle.cos() * b
        return resample(image, target, places)
