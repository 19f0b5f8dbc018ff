"""Two ways to do the same filtering: tensors on any device, compiled rows on a CPU."""

from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.forests import _native, _stencils
from napari_sashiko.forests._eigenvalues import symmetric_eigenvalues

Box = tuple[tuple[int, int], ...]
Widths = tuple[float, float, float]
Reaches = tuple[int, int, int]


class Hand(Protocol):
    """How voxels are smoothed, sloped and described; ``(Z, Y, X)`` float32 each."""

    def smooth(
        self, image: torch.Tensor, box: Box, widths: Widths, reaches: Reaches
    ) -> torch.Tensor:
        """Gaussian mean of the voxels of `box`, mirrored where the image ends."""
        ...

    def slope(self, image: torch.Tensor, axis: int, factor: float) -> torch.Tensor:
        """Slope along `axis`, times `factor`."""
        ...

    def describe(
        self,
        mean: torch.Tensor,
        square: torch.Tensor,
        *,
        corner: tuple[int, int, int],
        axes: tuple[int, ...],
        factors: tuple[float, ...],
        out: torch.Tensor,
    ) -> None:
        """Write the features of one scale; `square` begins at `corner` of `mean`."""
        ...


class Tensors:
    """A Gaussian along one axis is a banded matrix: one product per axis."""

    def smooth(
        self, image: torch.Tensor, box: Box, widths: Widths, reaches: Reaches
    ) -> torch.Tensor:
        """Gaussian mean of the voxels of `box`, mirrored where the image ends."""
        for axis, (span, width, reach) in enumerate(
            zip(box, widths, reaches, strict=True)
        ):
            if reach:
                matrix = _gaussian(image.shape[axis], span, width, reach, image)
                image = torch.tensordot(matrix, image, dims=([1], [axis]))
                image = image.movedim(0, axis)
            else:
                image = image.narrow(axis, span[0], span[1] - span[0])
        return image

    def slope(self, image: torch.Tensor, axis: int, factor: float) -> torch.Tensor:
        """Slope along `axis`, times `factor`."""
        return _slope(image, axis, factor)

    def describe(
        self,
        mean: torch.Tensor,
        square: torch.Tensor,
        *,
        corner: tuple[int, int, int],
        axes: tuple[int, ...],
        factors: tuple[float, ...],
        out: torch.Tensor,
    ) -> None:
        """Write the features of one scale; `square` begins at `corner` of `mean`."""
        crop = tuple(slice(c, c + n) for c, n in zip(corner, square.shape, strict=True))
        out[0] = mean[crop]
        out[1] = (square - out[0] ** 2).clamp_min(0).sqrt()
        slopes = [_slope(mean, a, f) for a, f in zip(axes, factors, strict=True)]
        out[2] = torch.stack([slope[crop] ** 2 for slope in slopes]).sum(0).sqrt()
        hessian = {
            (i, j): _slope(slopes[i], axes[j], factors[j])[crop]
            for i, j in combinations_with_replacement(range(len(axes)), 2)
        }
        out[3] = torch.stack([hessian[i, i] for i in range(len(axes))]).sum(0)
        for place, value in enumerate(symmetric_eigenvalues(hessian), 4):
            out[place] = value


class Rows:
    """Compiled loops over rows, for images that lie in C order in main memory."""

    def smooth(
        self, image: torch.Tensor, box: Box, widths: Widths, reaches: Reaches
    ) -> torch.Tensor:
        """Gaussian mean of the voxels of `box`, mirrored where the image ends."""
        near = [
            (max(low - reach, 0), min(high + reach, size))
            for (low, high), reach, size in zip(box, reaches, image.shape, strict=True)
        ]
        weights = [_weights(w, r) for w, r in zip(widths, reaches, strict=True)]
        sides = [len(w) - 1 for w in weights]
        (top, bottom), (left, right) = near[1:]
        planes = np.empty(
            (box[0][1] - box[0][0], bottom - top, right - left), np.float32
        )
        deep = _places(image.shape[0], box[0], sides[0])
        _stencils.smooth_planes(image.numpy(), deep, weights[0], (top, left), planes)
        down = _places(bottom - top, _shift(box[1], top), sides[1])
        low, high = _shift(box[2], left)
        across = _mirror(np.arange(low - sides[2], high + sides[2]), right - left)
        out = np.empty([stop - start for start, stop in box], np.float32)
        _stencils.smooth_rows(planes, down, weights[1], across, weights[2], out)
        return torch.from_numpy(out)

    def slope(self, image: torch.Tensor, axis: int, factor: float) -> torch.Tensor:
        """Slope along `axis`, times `factor`."""
        out = torch.empty_like(image)
        _stencils.slope(image.numpy(), axis, np.float32(factor), out.numpy())
        return out

    def describe(
        self,
        mean: torch.Tensor,
        square: torch.Tensor,
        *,
        corner: tuple[int, int, int],
        axes: tuple[int, ...],
        factors: tuple[float, ...],
        out: torch.Tensor,
    ) -> None:
        """Write the features of one scale; `square` begins at `corner` of `mean`."""
        source = mean.numpy()
        steps = tuple(np.float32(factor) for factor in factors)
        slopes = tuple(np.empty(source.shape, np.float32) for _ in axes)
        for axis, step, slope in zip(axes, steps, slopes, strict=True):
            _stencils.slope(source, axis, step, slope)
        write = _stencils.describe_solid if len(axes) == 3 else _stencils.describe_flat
        write(source, square.numpy(), slopes, steps, corner, out.numpy())


def hand_for(image: torch.Tensor) -> Hand:
    """Whoever is quickest with this image."""
    return Rows() if _native.AVAILABLE and image.device.type == "cpu" else Tensors()


def _slope(image: torch.Tensor, axis: int, factor: float) -> torch.Tensor:
    if image.shape[axis] < 2:
        return torch.zeros_like(image)
    return torch.gradient(image, dim=axis)[0] * factor


def _gaussian(
    size: int, span: tuple[int, int], sigma: float, reach: int, like: torch.Tensor
) -> torch.Tensor:
    """Matrix ``(stop - start, size)`` that smooths an axis, mirrored at its ends."""
    places = torch.from_numpy(_places(size, span, reach))
    half = torch.from_numpy(_weights(sigma, reach)[: reach + 1])
    weights = torch.cat([half.flip(0)[:-1], half])
    matrix = torch.zeros(len(places), size)
    matrix.scatter_add_(1, places, weights.expand(len(places), -1).contiguous())
    return matrix.to(like)


def _weights(sigma: float, reach: int) -> NDArray[np.float32]:
    """Half of a Gaussian, from its middle; a zero makes its tail of even length."""
    if not reach:
        return np.ones(1, np.float32)
    half = torch.exp(-0.5 * (torch.arange(reach + 1) / sigma) ** 2)
    half /= 2 * half.sum() - 1
    return np.pad(half.numpy(), (0, reach % 2))


def _places(size: int, span: tuple[int, int], reach: int) -> NDArray[np.int64]:
    """Voxels ``(stop - start, 2 * reach + 1)`` around each voxel, mirrored."""
    return _mirror(np.arange(*span)[:, None] + np.arange(-reach, reach + 1), size)


def _mirror(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    places = places % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)


def _shift(span: tuple[int, int], by: int) -> tuple[int, int]:
    return span[0] - by, span[1] - by
