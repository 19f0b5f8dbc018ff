"""Mirror images along every axis."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._transform import TRANSFORMS


@TRANSFORMS.register("flips")
class Flips:
    """Mirror each patch along each spatial axis with probability 1/2.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``; mirroring does not depend on it.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        del voxel_size
        self.axes = tuple(range(-dims, 0))

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return mirrored copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        draws = torch.rand(len(image), len(self.axes), generator=generator) < 0.5
        pairs = []
        for patch, labels, draw in zip(image, target, draws.tolist(), strict=True):
            axes = [axis for axis, hit in zip(self.axes, draw, strict=True) if hit]
            pairs.append((patch.flip(axes), labels.flip(axes)))
        images, targets = zip(*pairs, strict=True)
        return torch.stack(images), torch.stack(targets)
