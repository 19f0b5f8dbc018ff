"""Patches that are made again and sewn together, as operators without a loop."""

import torch
from torch import Tensor, nn

from napari_sashiko.networks import Patchwise

FEWEST = 3  # halves of an edge: with a single patch tracers take its number for fixed


class Sewn(nn.Module):
    """What `Patchwise` makes of images whose sizes are multiples of half an edge.

    Strategy: an image is cut into blocks of half an edge, and a patch is a block and
    the one behind it, axis by axis; so is the sewing, for weights of patches are
    products of those along the axes. However many patches there are, the operators are
    the same, so that tracers follow any size.

    Parameters
    ----------
    network : Patchwise
        In evaluation mode, on the CPU.
    """

    line: Tensor

    def __init__(self, network: Patchwise) -> None:
        super().__init__()
        self.name = network.name
        self.dims = network.dims
        self.encoder = network.encoder.folded()
        self._half, self._edge = network.align, network.edge
        self.register_buffer("line", network.line())

    def forward(self, x: Tensor) -> Tensor:
        """Make ``(B, K, *S)`` of ``(B, C, *S)``, at least `FEWEST` halves long."""
        axes = range(2, 2 + 2 * self.dims, 2)  # of the patches; voxels lie behind them
        for axis in axes:
            x = self._cut(x, axis)
        counts = [x.shape[axis] for axis in axes]
        inside = [axis + 1 for axis in axes]
        flat = x.permute(0, *axes, 1, *inside).flatten(0, self.dims)
        made: Tensor = self.encoder(flat).image
        made = made.reshape(x.shape[0], *counts, *made.shape[1:])
        channel = 1 + self.dims
        pairs = zip(range(1, channel), range(channel + 1, made.ndim), strict=True)
        made = made.permute(0, channel, *(place for pair in pairs for place in pair))
        for axis in reversed(axes):
            made = self._sewn(made, axis)
        return made

    def _cut(self, x: Tensor, axis: int) -> Tensor:
        """Turn an axis into (patches, voxels of a patch)."""
        shape = (*x.shape[:axis], -1, self._half, *x.shape[axis + 1 :])
        blocks = x.reshape(shape)
        count = blocks.shape[axis] - 1
        first, second = (blocks.narrow(axis, start, count) for start in (0, 1))
        return torch.cat([first, second, *self._odd(blocks, axis)], axis + 1)

    def _odd(self, blocks: Tensor, axis: int) -> list[Tensor]:
        """The last voxel of patches of an odd edge; mirrored behind the last block."""
        if self._edge == 2 * self._half:
            return []
        count = blocks.shape[axis]
        behind = blocks.narrow(axis, 2, count - 2).narrow(axis + 1, 0, 1)
        last = blocks.narrow(axis, count - 1, 1).narrow(axis + 1, self._half - 1, 1)
        return [torch.cat([behind, last], axis)]

    def _sewn(self, parts: Tensor, axis: int) -> Tensor:
        """Blend patches along one axis: the mean by their weights."""
        line = self.line.view(-1, *(1,) * (parts.ndim - axis - 2))
        ones = torch.ones_like(parts.narrow(axis - 1, 0, 1))
        total, weight = (self._laid(each * line, axis) for each in (parts, ones))
        return (total / weight).flatten(axis, axis + 1)

    def _laid(self, parts: Tensor, axis: int) -> Tensor:
        """Add what lies on each other: (patches, edge) to (blocks, half an edge)."""
        half, count = self._half, parts.shape[axis]
        first, second = (parts.narrow(axis + 1, start, half) for start in (0, half))
        none = torch.zeros_like(first.narrow(axis, 0, 1))
        total = torch.cat([first, none], axis) + torch.cat([none, second], axis)
        if self._edge > 2 * half:
            voxel = parts.narrow(axis + 1, 2 * half, 1)
            rest = torch.zeros_like(first.narrow(axis + 1, 1, half - 1))
            behind = torch.cat([voxel, rest], axis + 1).narrow(axis, 0, count - 1)
            total = total + torch.cat([none, none, behind], axis)
        return total
