"""Half turns in the plane of a slice."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._transform import TRANSFORMS


@TRANSFORMS.register("half_turns")
class HalfTurns:
    """Turn each patch by 180 degrees around z with probability 1/2.

    What is left where direction tells classes apart: stripes keep their direction,
    whichever it is, while mirrors and right angles exchange diagonals.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``; half a turn does not depend on it.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        del dims, voxel_size

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return turned copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        draws = torch.rand(len(image), generator=generator) < 0.5
        image, target = image.clone(), target.clone()
        for patch in draws.nonzero().flatten().tolist():
            image[patch] = image[patch].flip((-2, -1))
            target[patch] = target[patch].flip((-2, -1))
        return image, target
