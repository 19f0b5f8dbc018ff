"""Max pooling of any size, and cropping back after upsampling."""

import math

from torch import Size, Tensor
from torch.nn import functional


def max_pool(x: Tensor, factor: int) -> Tensor:
    """Take maxima over blocks of ``factor`` voxels; a last partial block counts.

    Parameters
    ----------
    x : Tensor
        ``(B, C, [Z,] Y, X)``.
    factor : int
        Edge of a block; an axis of length ``N`` becomes ``ceil(N / factor)``.
    """
    if x.ndim == 4:
        return functional.max_pool2d(x, factor, ceil_mode=True)
    return functional.max_pool3d(x, factor, ceil_mode=True)


def max_around(x: Tensor, width: int, *, dilation: int = 1) -> Tensor:
    """Take maxima over `width` voxels around each voxel; the spatial shape stays.

    Parameters
    ----------
    x : Tensor
        ``(B, C, [Z,] Y, X)``.
    width : int
        Voxels along each axis, odd; those beyond the image do not count.
    dilation : int
        Distance between them, voxels.
    """
    pool = functional.max_pool2d if x.ndim == 4 else functional.max_pool3d
    # Pooling itself pads by half a width at most, whatever the dilation.
    around = [dilation * (width // 2)] * (2 * (x.ndim - 2))
    padded = functional.pad(x, around, value=-math.inf)
    found: Tensor = pool(padded, width, stride=1, dilation=dilation)
    return found


def crop_to(x: Tensor, like: Tensor) -> Tensor:
    """Cut the far end of ``x`` so that its spatial shape is that of ``like``."""
    if x.shape[2:] == like.shape[2:]:
        return x
    for axis, size in enumerate(like.shape[2:], start=2):
        x = x.narrow(axis, 0, size)
    return x


def max_pool_places(x: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Take maxima as `max_pool` does, and where they were.

    Parameters
    ----------
    x : Tensor
        ``(B, C, [Z,] Y, X)``.
    factor : int
        Edge of a block.

    Returns
    -------
    maxima : Tensor
        ``(B, C, *S)``.
    places : Tensor
        Of the same shape: flat place of each in its channel of ``x``.
    """
    pool = functional.max_pool2d if x.ndim == 4 else functional.max_pool3d
    maxima, places = pool(x, factor, ceil_mode=True, return_indices=True)
    return maxima, places


def unpool(x: Tensor, places: Tensor, size: Size) -> Tensor:
    """Put each value back to its place among zeros; the reverse of `max_pool_places`.

    Parameters
    ----------
    x, places : Tensor
        ``(B, C, *S)``.
    size : torch.Size
        Shape of what was pooled.
    """
    flat = x.new_zeros((*size[:2], math.prod(size[2:])))
    flat = flat.scatter(2, places.flatten(2), x.flatten(2))
    return flat.view(size)
