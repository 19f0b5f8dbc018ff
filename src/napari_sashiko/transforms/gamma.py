"""Other contrast: dark or bright values are spread."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._transform import TRANSFORMS

WIDEST = math.log(1.5)  # of the logarithm of the exponent, to both sides


@TRANSFORMS.register("gamma")
class Gamma:
    """Raise grey values, from 0 at the darkest to 1 at the brightest, to a power.

    The exponent is drawn for each patch, evenly in its logarithm, between 2/3 and 3/2.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        Grey values do not depend on it.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        del dims, voxel_size

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return ``(B, C, *S)`` with other contrast, and the target as it is."""
        draws = 2 * torch.rand(len(image), generator=generator) - 1
        shape = (len(image), *(1,) * (image.ndim - 1))
        power = (WIDEST * draws).exp().view(shape).to(image)
        axes = tuple(range(2, image.ndim))
        low, high = image.amin(axes, keepdim=True), image.amax(axes, keepdim=True)
        width = (high - low).clamp_min(1e-6)
        return low + width * ((image - low) / width).pow(power), target
