"""Right-angle rotations in planes whose voxels are square."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from napari_sashiko.transforms._transform import TRANSFORMS, equal_planes


@TRANSFORMS.register("rotations")
class Rotations:
    """Turn each patch by 0, 90, 180 or 270 degrees in each plane with square voxels.

    A plane in which the patch is not square is turned by 0 or 180 degrees, so that all
    patches of a batch keep one shape.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``; decides between which axes a rotation keeps physical shape.
    """

    def __init__(
        self, dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> None:
        self.planes = equal_planes(dims, voxel_size)

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return turned copies of ``(B, C, *S)`` and ``(B, *, *S)``."""
        size = (len(image), len(self.planes))
        turns = torch.randint(4, size, generator=generator).tolist()
        pairs = [
            self._turn(patch, labels, draw)
            for patch, labels, draw in zip(image, target, turns, strict=True)
        ]
        images, targets = zip(*pairs, strict=True)
        return torch.stack(images), torch.stack(targets)

    def _turn(
        self, patch: Tensor, labels: Tensor, turns: list[int]
    ) -> tuple[Tensor, Tensor]:
        for plane, quarter in zip(self.planes, turns, strict=True):
            square = labels.shape[plane[0]] == labels.shape[plane[1]]
            k = quarter if square else quarter // 2 * 2
            patch, labels = torch.rot90(patch, k, plane), torch.rot90(labels, k, plane)
        return patch, labels
