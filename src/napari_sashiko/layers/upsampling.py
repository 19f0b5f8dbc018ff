"""Transposed convolution whose blocks do not overlap, for 2D and 3D alike."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers.initialisation import fill_normal, kaiming_std


class UpConvolution(nn.Module):
    """Transposed convolution with kernel = stride = ``factor``.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels before and after.
    dims : int
        2 or 3.
    factor : int
        Each voxel becomes a block of this edge.
    generator : torch.Generator
        Draws the initial weights.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        factor: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.factor = factor
        shape = (in_channels, out_channels, *(factor,) * dims)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        fill_normal(self.weight, kaiming_std(in_channels, gain=1.0), generator)

    def forward(self, x: Tensor) -> Tensor:
        """Turn ``(B, in, *S)`` into ``(B, out, *(S * factor))``."""
        if self.weight.ndim == 4:
            return functional.conv_transpose2d(
                x, self.weight, self.bias, stride=self.factor
            )
        if x.device.type == "mps":
            return self._in_blocks(x)
        return functional.conv_transpose3d(
            x, self.weight, self.bias, stride=self.factor
        )

    def _in_blocks(self, x: Tensor) -> Tensor:
        """Do the same in 3D by a product and a change of order, where torch cannot."""
        count, _, *sides = x.shape
        edge, outputs = self.factor, self.weight.shape[1]
        flat = self.weight.flatten(1).T[..., None, None, None]
        made = functional.conv3d(x, flat).view(count, outputs, edge, edge, edge, *sides)
        made = made.permute(0, 1, 5, 2, 6, 3, 7, 4)
        made = made.reshape(count, outputs, *(edge * n for n in sides))
        return made + self.bias.view(1, -1, 1, 1, 1)


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Repeat each voxel of ``(B, C, [Z,] Y, X)`` along each spatial axis."""
    for axis in range(2, x.ndim):
        x = x.repeat_interleave(factor, dim=axis)
    return x
