"""The same at another size."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._resampling import centred, resample
from napari_sashiko.transforms._transform import TRANSFORMS

WIDEST = math.log(1.25)  # of the logarithm of the factor, to both sides


@TRANSFORMS.register("scale")
class Scale:
    """Show each patch larger or smaller, by a factor between 4/5 and 5/4.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        All axes have the same factor, whatever their voxels.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        del dims, voxel_size

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return scaled copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        draws = 2 * torch.rand(len(image), generator=generator) - 1
        factors = (WIDEST * draws).exp().view(-1, *(1,) * (image.ndim - 1))
        return resample(image, target, centred(image.shape[2:]) * factors)
