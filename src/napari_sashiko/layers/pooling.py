"""Max pooling of any size, and cropping back after upsampling."""

from torch import Tensor
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


def crop_to(x: Tensor, like: Tensor) -> Tensor:
    """Cut the far end of ``x`` so that its spatial shape is that of ``like``."""
    if x.shape[2:] == like.shape[2:]:
        return x
    for axis, size in enumerate(like.shape[2:], start=2):
        x = x.narrow(axis, 0, size)
    return x
