"""Convolutions that keep the spatial shape, for 2D and 3D alike."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers.initialisation import fill_normal, kaiming_std
from napari_sashiko.runners import Interrupt, interrupt

# Multiplications of a CPU before it looks up: well below a second on a core that is
# shared. Rows cost more than images: gradients are summed over all of the image.
MOST_AT_ONCE, MOST_IN_ROWS = 2 * 10**9, 5 * 10**9


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    dilation: int = 1,
    padded: bool = True,
) -> Tensor:
    """Convolve, with zero padding so that the spatial shape stays.

    Where somebody may stop it (`interruptible`), what takes long on a CPU is done in
    pieces.

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
    tick = interrupt() if x.device.type == "cpu" else None
    layer = _Taps(weight, bias, dilation, padded)
    if tick is not None:
        tick()
    if tick is None or layer.work(x) <= MOST_AT_ONCE:
        return layer(x)
    return _in_pieces(x, layer, tick)


@dataclass(frozen=True)
class _Taps:
    """A convolution that has its weights."""

    weight: Tensor
    bias: Tensor | None
    dilation: int
    padded: bool

    @property
    def margin(self) -> int:
        """Voxels that it sees in each direction."""
        return self.dilation * (self.weight.shape[-1] - 1) // 2

    def work(self, x: Tensor) -> int:
        """Multiplications, about."""
        return x[:, 0].numel() * self.weight.numel()

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve."""
        padding = self.margin if self.padded else 0
        how: dict[str, int] = {"padding": padding, "dilation": self.dilation}
        if self.weight.ndim == 4:
            return functional.conv2d(x, self.weight, self.bias, **how)
        return functional.conv3d(x, self.weight, self.bias, **how)


def _in_pieces(x: Tensor, layer: _Taps, tick: Interrupt) -> Tensor:
    """Convolve images one after another, or rows, so that a stop is heard soon."""
    work = layer.work(x)
    axis = 0 if len(x) > 1 else 2
    if axis and layer.margin:
        rows = work > MOST_IN_ROWS
        return _in_rows(x, layer, tick) if rows else _noted(layer(x), tick)
    step = max(1, int(x.shape[axis] * MOST_AT_ONCE / work))
    made = []
    for part in torch.split(x, step, axis):
        again = axis == 0 and layer.work(part) > MOST_AT_ONCE
        if again and len(part) == 1:
            made.append(_in_pieces(part, layer, tick))
        else:
            made.append(_noted(layer(part), tick))
    return torch.cat(made, axis)


def _in_rows(x: Tensor, layer: _Taps, tick: Interrupt) -> Tensor:
    """Convolve rows of a single image, each with those around that it sees."""
    margin = layer.margin
    rows = x.shape[2] - (0 if layer.padded else 2 * margin)
    step = max(1, int(rows * MOST_IN_ROWS / layer.work(x)))
    made = []
    for low in range(0, rows, step):
        count = min(step, rows - low)
        first = max(0, low - margin) if layer.padded else low
        last = low + count + (margin if layer.padded else 2 * margin)
        seen = layer(x[:, :, first:last])
        if layer.padded:  # rows at the rim miss those beyond, unless the image ends
            seen = seen.narrow(2, low - first, count)
        made.append(_noted(seen, tick))
    return torch.cat(made, 2)


def _noted(made: Tensor, tick: Interrupt) -> Tensor:
    """Tick, now and when gradients of this piece are wanted."""
    tick()
    if made.requires_grad:
        made.register_hook(lambda _gradient: tick())  # type: ignore[no-untyped-call]
    return made


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
