"""Bent, as soft things are."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from napari_sashiko.transforms._resampling import centred, resample
from napari_sashiko.transforms._transform import TRANSFORMS

SPACING = 16  # voxels of the finest axis between places that move on their own
STRENGTH = 2.0  # standard deviation of their shifts, in the same voxels


@TRANSFORMS.register("elastic")
class Elastic:
    """Shift places 16 voxels apart at random, by 2 voxels, and all between smoothly.

    Source: Ronneberger, Fischer & Brox, MICCAI, LNCS 9351, 234 (2015), section 3.1,
    with linear interpolation between the places.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``: along an axis of long voxels places are fewer voxels apart and
        are shifted by less of them.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        size = tuple(voxel_size)[-dims:]
        self.shares = tuple(min(size) / each for each in size)

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return bent copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        size = image.shape[2:]
        knots = [
            max(2, round(n / (SPACING * share)) + 1)
            for n, share in zip(size, self.shares, strict=True)
        ]
        shape = (len(image), len(size), *knots)
        shifts = STRENGTH * torch.randn(shape, generator=generator)
        mode = "bilinear" if len(size) == 2 else "trilinear"
        smooth = functional.interpolate(shifts, size, mode=mode, align_corners=True)
        moved = smooth.movedim(1, -1) * torch.tensor(self.shares)
        return resample(image, target, centred(size) + moved)
