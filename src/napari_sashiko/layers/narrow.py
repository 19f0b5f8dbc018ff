"""Convolutions of few channels that can be learned, compiled on a CPU."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sashiko.layers.convolution import convolve
from napari_sashiko.layers.native import MARGIN, MOST_OUTPUTS, has_native, native_sum

Array = NDArray[np.float32]
ROWS_OF_A_THREAD = 64  # fewer rows are not worth waking a thread


def convolve_narrow(x: Tensor, weight: Tensor, *, dilation: int = 1) -> Tensor:
    """Convolve as `convolve` does, faster on a CPU where channels are few.

    Parameters
    ----------
    x : Tensor
        ``(B, C, [Z,] Y, X)``.
    weight : Tensor
        ``(out, C, *k)`` with kernel size 3.
    dilation : int
        Distance between kernel taps, voxels.
    """
    if not _is_compiled(x, weight):
        return convolve(x, weight, dilation=dilation)
    found: Tensor = _Narrow.apply(x, weight, dilation)  # type: ignore[no-untyped-call]
    return found


def compiles_narrow(dims: int, device: torch.device) -> bool:
    """Whether `convolve_narrow` compiles here what it learns in full precision."""
    # In 2D a library is as fast.
    return dims == 3 and device.type == "cpu" and has_native()


def _is_compiled(x: Tensor, weight: Tensor) -> bool:
    return (
        compiles_narrow(x.ndim - 2, x.device)
        and x.dtype == weight.dtype == torch.float32
        and weight.shape[-1] == 3
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


class _Narrow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _summed(x, weight, dilation)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        back, learned = None, None
        if ctx.needs_input_grad[0]:
            # What a voxel gave to its neighbours comes back from the opposite side.
            turned = weight.transpose(0, 1).flip(tuple(range(2, weight.ndim)))
            back = _summed(grad, turned, ctx.dilation)
        if ctx.needs_input_grad[1]:
            learned = _weight_gradient(x, grad, weight.shape, ctx.dilation)
        return back, learned, None


class _Planes:
    """Maps as planes of one buffer with zeros between rows.

    Attributes
    ----------
    flat : numpy.ndarray
        The buffer.
    starts : numpy.ndarray
        Where each map starts.
    shape : numpy.ndarray
        ``(Z, Y, X, stride, kz)``.
    rows : int
        Rows of a map, of all images.
    """

    def __init__(self, maps: int, like: Tensor, dilation: int) -> None:
        deep = like.ndim == 5
        depth, height, width = like.shape[2:] if deep else (1, *like.shape[2:])
        left = -(-dilation // MARGIN) * MARGIN
        stride = left + -(-width // MARGIN) * MARGIN
        self.rows = len(like) * depth * height
        size = self.rows * stride
        self.flat = np.zeros(maps * size + left + MARGIN, np.float32)
        self.starts = left + size * np.arange(maps, dtype=np.int64)
        self.shape = np.array([depth, height, width, stride, 3 if deep else 1])
        grid = self.flat[: maps * size].reshape(maps, self.rows, stride)
        self.voxels = grid[..., left : left + width]

    def put(self, first: int, x: Tensor) -> None:
        """Copy the channels of ``(B, C, *S)`` to maps from `first` on."""
        maps = x.detach().transpose(0, 1).reshape(x.shape[1], self.rows, -1)
        self.voxels[first : first + len(maps)] = maps.numpy()

    def get(self, first: int, like: Tensor) -> Tensor:
        """Maps from `first` on as ``(B, C, *S)``, with images and size of `like`."""
        maps = torch.from_numpy(np.ascontiguousarray(self.voxels[first:]))
        return maps.view(len(maps), len(like), *like.shape[2:]).transpose(0, 1)


def _summed(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    outputs, channels = weight.shape[:2]
    planes = _Planes(channels + outputs, x, dilation)
    planes.put(0, x)
    taps = weight.detach().reshape(outputs, channels, -1).permute(1, 2, 0).numpy()
    none = np.zeros((0, outputs), np.float32)
    works = []
    for low in range(0, outputs, MOST_OUTPUTS):
        high = min(low + MOST_OUTPUTS, outputs)
        weights = np.ascontiguousarray(taps[..., low:high])
        sources = np.stack(
            [
                planes.starts[:channels],
                np.full(channels, dilation),
                weights[0].size * np.arange(channels),
            ],
            axis=1,
        )
        arrays = (
            planes.flat,
            planes.starts[channels + low : channels + high],
            sources,
            weights.ravel(),
            np.zeros(high - low, np.float32),
            np.ascontiguousarray(none[:, low:high]),
            planes.starts[:0],
        )
        run = native_sum(high - low)
        works.append(
            lambda rows, run=run, arrays=arrays: run(arrays, (1, 0), rows, planes.shape)
        )
    in_shares(works, planes.rows)
    return planes.get(channels, x)


def _weight_gradient(
    x: Tensor, grad: Tensor, shape: torch.Size, dilation: int
) -> Tensor:
    from napari_sashiko.layers._native_code import lanes_here  # noqa: PLC0415
    from napari_sashiko.layers._native_gradient import (  # noqa: PLC0415
        AT_ONCE,
        ROWS,
        compile_gradient,
    )

    outputs, channels = shape[:2]
    planes = _Planes(channels + outputs, x, dilation)
    planes.put(0, x)
    planes.put(channels, grad)
    lanes, deep = lanes_here(), int(planes.shape[4])
    height = int(planes.shape[1])
    blocks = planes.rows // height * -(-height // ROWS)
    parts = []
    for low in range(0, outputs, AT_ONCE[lanes]):
        high = min(low + AT_ONCE[lanes], outputs)
        run = compile_gradient(high - low)
        grads = planes.starts[channels + low : channels + high]
        found: list[Array] = []

        def work(share: tuple[int, int], run: Any = run, grads: Any = grads) -> None:
            sums = np.zeros((channels, deep * 3, len(grads), 3, lanes), np.float32)
            arrays = (planes.flat, grads, planes.starts[:channels], sums.ravel())
            run(arrays, dilation, share, planes.shape)
            found.append(sums)  # noqa: B023 - used up before the next turn

        in_shares([work], blocks, least=ROWS_OF_A_THREAD // ROWS)
        parts.append(sum(found).sum(axis=-1, dtype=np.float64))  # type: ignore[union-attr]
    # (channels, kz * 3, outputs, 3) -> (outputs, channels, kz, 3, 3)
    whole = np.concatenate(parts, axis=2).transpose(2, 0, 1, 3)
    return torch.from_numpy(whole.astype(np.float32)).reshape(shape)


def in_shares(
    works: Sequence[Callable[[tuple[int, int]], Any]],
    count: int,
    *,
    least: int = ROWS_OF_A_THREAD,
) -> None:
    """Do each work on all of `count` parts, shared among torch's threads.

    A work begins when the one before has ended on all parts.
    """
    threads = max(1, min(torch.get_num_threads(), count // least))
    shares = list(pairwise(count * i // threads for i in range(threads + 1)))
    if threads == 1:
        for work in works:
            work(shares[0])
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="sums") as pool:
        for work in works:
            list(pool.map(work, shares))
