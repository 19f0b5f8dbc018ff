"""Less sharp than the image is."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from napari_sashiko.transforms._transform import TRANSFORMS

WIDEST = 1.2  # standard deviation, in voxels of the finest axis
CUT = 3.0  # standard deviations


@TRANSFORMS.register("blur")
class Blur:
    """Blur half of the patches by a Gaussian, up to 1.2 voxels of the finest axis.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``: along an axis of long voxels fewer of them are mixed.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        size = tuple(voxel_size)[-dims:]
        self.shares = tuple(min(size) / each for each in size)

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return blurred ``(B, C, *S)``, and the target as it is."""
        draws = (2 * torch.rand(len(image), generator=generator) - 1).tolist()
        patches = [
            self._blurred(patch, WIDEST * draw) if draw > 0 else patch
            for patch, draw in zip(image, draws, strict=True)
        ]
        return torch.stack(patches), target

    def _blurred(self, patch: Tensor, sigma: float) -> Tensor:
        """Blur ``(C, *S)`` axis by axis; the ends are repeated."""
        for axis, share in enumerate(self.shares, start=1):
            width = sigma * share
            reach = math.ceil(CUT * width)
            at = torch.arange(-reach, reach + 1, device=patch.device, dtype=patch.dtype)
            kernel = (-0.5 * (at / width).square()).exp()
            kernel = (kernel / kernel.sum()).view(1, 1, -1)
            lines = patch.movedim(axis, -1)
            shape = lines.shape
            lines = lines.reshape(-1, 1, shape[-1])
            lines = functional.pad(lines, (reach, reach), mode="replicate")
            patch = functional.conv1d(lines, kernel).view(shape).movedim(-1, axis)
        return patch
