"""Convolutions that keep the spatial shape, for 2D and 3D alike."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers.initialisation import fill_normal, kaiming_std


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    dilation: int = 1,
    padded: bool = True,
) -> Tensor:
    """Convolve, with zero padding so that the spatial shape stays.

    Parameters
    ----------
    x : Tensor
        ``(B, C, [Z,] Y, X)``.
    weight : Tensor
        ``(out, C, *k)``; its rank decides between 2D and 3D. Taps lie evenly around a
        voxel: kernel sizes are odd, or `dilation` is even.
    bias : Tensor, optional
        ``(out,)``.
    dilation : int
        Distance between kernel taps, voxels.
    padded : bool
        Whether to pad; otherwise the kernel's reach is cut off.
    """
    padding = dilation * (weight.shape[-1] - 1) // 2 if padded else 0
    if weight.ndim == 4:
        return functional.conv2d(x, weight, bias, padding=padding, dilation=dilation)
    return functional.conv3d(x, weight, bias, padding=padding, dilation=dilation)


def channels_last(dims: int) -> torch.memory_format:
    """Memory order in which the channels of a voxel lie side by side."""
    return torch.channels_last if dims == 2 else torch.channels_last_3d


class Convolution(nn.Module):
    """One convolution with bias; the spatial shape stays.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels before and after.
    dims : int
        2 or 3.
    generator : torch.Generator
        Draws the initial weights (Kaiming, see `kaiming_std`).
    kernel : int
        Kernel size, taps; odd where `dilation` is odd.
    dilation : int
        Distance between kernel taps, voxels.
    gain : float
        Gain of the initial weights; 1 for a layer with nothing behind it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        generator: torch.Generator,
        kernel: int = 3,
        dilation: int = 1,
        gain: float = 2.0**0.5,
    ) -> None:
        super().__init__()
        self.dilation = dilation
        shape = (out_channels, in_channels, *(kernel,) * dims)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        std = kaiming_std(in_channels * kernel**dims, gain=gain)
        fill_normal(self.weight, std, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``(B, in, *S)`` to ``(B, out, *S)``."""
        return convolve(x, self.weight, self.bias, dilation=self.dilation)
