"""A bank of multiscale filters: what each voxel's surroundings look like.

Strategy: a Gaussian along one axis of ``n`` voxels is a banded ``(m, n)`` matrix, so
that smoothing is one matrix product per axis, on any device, and yields only the ``m``
voxels asked for. Each scale is computed on the smallest region that it needs.
"""

import math
from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement

import torch

from napari_sashiko.config import Settings
from napari_sashiko.forests._eigenvalues import symmetric_eigenvalues

Box = tuple[tuple[int, int], ...]


class FilterBank(Settings):
    """Which filters; the order of its features is part of the contract.

    Per channel: the voxel itself, then for each scale the Gaussian mean, the local
    standard deviation, the gradient's length, the Laplacian, the eigenvalues of the
    Hessian and, up to ``texture_up_to``, the square roots of those of the structure
    tensor: in essence the features of ilastik (Sommer et al., ISBI 2011).

    Parameters
    ----------
    dims : int
        3, or 2 for slices that have nothing to do with each other.
    spacing : tuple of float
        Voxel size (z, y, x) relative to the finest axis.
    sigmas : tuple of float
        Scales, in voxels of the finest axis.
    texture_up_to : float
        Largest scale that gets structure tensors (they double the reach).
    """

    dims: int = 3
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sigmas: tuple[float, ...] = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
    texture_up_to: float = 3.5

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that filters run along."""
        return (0, 1, 2) if self.dims == 3 else (1, 2)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Voxels around a region that its features depend on, (z, y, x)."""
        reaches = [self._margins(sigma) for sigma in self.sigmas]
        return tuple(max(sum(r[axis]) for r in reaches) for axis in range(3))  # type: ignore[return-value]

    def features(
        self,
        patch: torch.Tensor,
        core: Box,
        tick: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """Filter a patch and keep the features of its core.

        Parameters
        ----------
        patch : torch.Tensor
            Normalised image, ``(C, Z, Y, X)`` float32. It should reach ``halo`` voxels
            beyond the core, except where the volume ends: there it is mirrored.
        core : tuple of (start, stop)
            The voxels wanted, per axis.
        tick : callable
            Called between scales; may raise to stop.

        Returns
        -------
        torch.Tensor
            ``(F, z, y, x)`` float32 over the core.
        """
        parts = [
            part for channel in patch for part in self._channel(channel, core, tick)
        ]
        return torch.stack(parts)

    def _channel(
        self, image: torch.Tensor, core: Box, tick: Callable[[], None]
    ) -> Iterator[torch.Tensor]:
        yield image[tuple(slice(*span) for span in core)]
        for sigma in self.sigmas:
            tick()
            yield from self._scale(image, core, sigma)

    def _scale(
        self, image: torch.Tensor, core: Box, sigma: float
    ) -> Iterator[torch.Tensor]:
        # One region reaches two voxels further than the core, for second differences,
        # and by the outer smoothing of the structure tensor.
        margins = self._margins(sigma)
        inner = tuple(
            (max(start - margins[axis][1], 0), min(stop + margins[axis][1], size))
            for axis, ((start, stop), size) in enumerate(
                zip(core, image.shape, strict=True)
            )
        )
        within = tuple(
            (start - low, stop - low)
            for (start, stop), (low, _) in zip(core, inner, strict=True)
        )
        crop = tuple(slice(*span) for span in within)
        mean = self._smooth(image, inner, sigma)
        square = self._smooth(image * image, core, sigma)
        yield mean[crop]
        yield (square - mean[crop] ** 2).clamp_min(0).sqrt()

        slopes = [self._slope(mean, axis) * sigma for axis in self.axes]
        yield torch.stack([slope[crop] ** 2 for slope in slopes]).sum(0).sqrt()
        pairs = list(combinations_with_replacement(range(len(self.axes)), 2))
        hessian = {
            (i, j): (self._slope(slopes[i], self.axes[j]) * sigma)[crop]
            for i, j in pairs
        }
        yield torch.stack([hessian[i, i] for i in range(len(self.axes))]).sum(0)
        yield from symmetric_eigenvalues(hessian)
        if sigma <= self.texture_up_to:
            tensor = {
                (i, j): self._smooth(slopes[i] * slopes[j], within, 1.5 * sigma)
                for i, j in pairs
            }
            for value in symmetric_eigenvalues(tensor):
                yield value.clamp_min(0).sqrt()

    def _margins(self, sigma: float) -> list[tuple[int, int]]:
        """Per axis: reach of the smoothing, reach of what is computed from it."""
        outer = 1.5 * sigma if sigma <= self.texture_up_to else 0.0
        return [
            (self._reach(sigma, axis), 2 + self._reach(outer, axis))
            if axis in self.axes
            else (0, 0)
            for axis in range(3)
        ]

    def _reach(self, sigma: float, axis: int) -> int:
        width = sigma / self.spacing[axis]
        return math.ceil((3.0 if width < 4 else 2.5) * width) if width > 0.2 else 0

    def _smooth(self, image: torch.Tensor, box: Box, sigma: float) -> torch.Tensor:
        for axis in range(3):
            reach = self._reach(sigma, axis) if axis in self.axes else 0
            width = sigma / self.spacing[axis]
            if reach:
                matrix = _gaussian(image.shape[axis], box[axis], width, reach, image)
                image = torch.tensordot(matrix, image, dims=([1], [axis]))
                image = image.movedim(0, axis)
            else:
                image = image.narrow(axis, box[axis][0], box[axis][1] - box[axis][0])
        return image.contiguous()

    def _slope(self, image: torch.Tensor, axis: int) -> torch.Tensor:
        if image.shape[axis] < 2:
            return torch.zeros_like(image)
        return torch.gradient(image, dim=axis)[0] / self.spacing[axis]


def _gaussian(
    size: int, span: tuple[int, int], sigma: float, reach: int, like: torch.Tensor
) -> torch.Tensor:
    """Matrix ``(stop - start, size)`` that smooths an axis, mirrored at its ends."""
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    rows = torch.arange(*span)
    places = rows[:, None] + offsets
    period = 2 * size
    places = torch.remainder(places, period)
    places = torch.where(places >= size, period - 1 - places, places)
    matrix = torch.zeros(len(rows), size)
    matrix.scatter_add_(1, places, weights.expand(len(rows), -1).contiguous())
    return matrix.to(like)
