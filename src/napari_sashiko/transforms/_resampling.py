"""Reading patches at other places: how, for images, labels and probabilities."""

import torch
from torch import Tensor
from torch.nn import functional


def centred(size: torch.Size | tuple[int, ...]) -> Tensor:
    """Places ``(*S, dims)`` of voxels, in voxels from the middle of a patch."""
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in size]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def resample(image: Tensor, target: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Read image and target at other places.

    The image goes on as its mirror image; outside nothing is labelled, and nothing is
    probable.

    Parameters
    ----------
    image : Tensor
        ``(B, C, *S)``.
    target : Tensor
        ``(B, *S)`` labels, read at the nearest voxel, or ``(B, K, *S)`` probabilities.
    places : Tensor
        ``(B, *S, dims)`` in voxels from the middle, the first axis first.
    """
    size = image.shape[2:]
    # The library wants the last axis first, and a patch from -1 to 1.
    half = torch.tensor(size, dtype=torch.float32) / 2
    grid = (places / half).flip(-1).to(image)
    read = functional.grid_sample(
        image, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    soft = target.ndim == image.ndim
    layers = target if soft else target.unsqueeze(1)
    told = functional.grid_sample(
        layers.to(image.dtype),
        grid,
        mode="bilinear" if soft else "nearest",
        padding_mode="zeros",
        align_corners=False,
    )
    return read, (told if soft else told.squeeze(1)).to(target.dtype)
