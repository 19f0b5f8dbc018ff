"""More noise than the image has."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._transform import TRANSFORMS

STRONGEST = 0.3  # in standard deviations of the image, which is normalised


@TRANSFORMS.register("noise")
class Noise:
    """Add white Gaussian noise, up to 0.3 standard deviations of the image.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        White noise does not depend on it.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        del dims, voxel_size

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return ``(B, C, *S)`` with noise, and the target as it is."""
        shape = (len(image), *(1,) * (image.ndim - 1))
        strength = STRONGEST * torch.rand(shape, generator=generator)
        noise = torch.randn(image.shape, generator=generator)
        return image + (strength * noise).to(image), target
