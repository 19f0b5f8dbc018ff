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
SLOPE = 1.0  # scale at which slopes are taken for textures


class FilterBank(Settings):
    """Which filters; the order of its features is part of the contract.

    Per channel: the voxel itself; for each scale the Gaussian mean, the local standard
    deviation, the gradient's length, the Laplacian and the eigenvalues of the Hessian;
    then, for each scale of ``textures``, the root mean square slope along each axis in
    that neighbourhood. The first set is that of ilastik (Sommer et al., ISBI 2011); the
    last tells directions and textures apart, which no rotation-invariant filter can.

    Parameters
    ----------
    dims : int
        3, or 2 for slices that have nothing to do with each other.
    spacing : tuple of float
        Voxel size (z, y, x) relative to the finest axis.
    sigmas : tuple of float
        Scales, in voxels of the finest axis.
    textures : tuple of float
        Scales of the neighbourhoods over which slopes are averaged.
    """

    dims: int = 3
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sigmas: tuple[float, ...] = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
    textures: tuple[float, ...] = (3.0, 5.0)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that filters run along."""
        return (0, 1, 2) if self.dims == 3 else (1, 2)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Voxels around a region that its features depend on, (z, y, x)."""
        return (self._halo(0), self._halo(1), self._halo(2))

    def _halo(self, axis: int) -> int:
        if axis not in self.axes:
            return 0
        reaches = [self._reach(sigma, axis) + 2 for sigma in self.sigmas]
        slope = self._reach(SLOPE, axis) + 1
        reaches += [self._reach(sigma, axis) + slope for sigma in self.textures]
        return max(reaches)

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
        tick()
        yield from self._texture(image, core)

    def _scale(
        self, image: torch.Tensor, core: Box, sigma: float
    ) -> Iterator[torch.Tensor]:
        wider = self._grow(core, image.shape, 2)  # second differences reach that far
        mean = self._smooth(image, wider, sigma)
        crop = _within(core, wider)
        square = self._smooth(image * image, core, sigma)
        yield mean[crop]
        yield (square - mean[crop] ** 2).clamp_min(0).sqrt()

        slopes = [self._slope(mean, axis) * sigma for axis in self.axes]
        yield torch.stack([slope[crop] ** 2 for slope in slopes]).sum(0).sqrt()
        hessian = {
            (i, j): (self._slope(slopes[i], self.axes[j]) * sigma)[crop]
            for i, j in combinations_with_replacement(range(len(self.axes)), 2)
        }
        yield torch.stack([hessian[i, i] for i in range(len(self.axes))]).sum(0)
        yield from symmetric_eigenvalues(hessian)

    def _texture(self, image: torch.Tensor, core: Box) -> Iterator[torch.Tensor]:
        if not self.textures:
            return
        reach = max(self._reach(s, axis) for s in self.textures for axis in self.axes)
        wide = self._grow(core, image.shape, reach)
        wider = self._grow(wide, image.shape, 1)
        smooth = self._smooth(image, wider, SLOPE)
        within = tuple(
            (start - low, stop - low)
            for (start, stop), (low, _) in zip(core, wide, strict=True)
        )
        for axis in self.axes:
            energy = self._slope(smooth, axis)[_within(wide, wider)] ** 2
            for sigma in self.textures:
                yield self._smooth(energy, within, sigma).sqrt()

    def _grow(self, box: Box, shape: torch.Size, by: int) -> Box:
        return tuple(
            (max(start - by, 0), min(stop + by, size))
            if axis in self.axes
            else (start, stop)
            for axis, ((start, stop), size) in enumerate(zip(box, shape, strict=True))
        )

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
        return image

    def _slope(self, image: torch.Tensor, axis: int) -> torch.Tensor:
        if image.shape[axis] < 2:
            return torch.zeros_like(image)
        return torch.gradient(image, dim=axis)[0] / self.spacing[axis]


def _within(box: Box, wider: Box) -> tuple[slice, ...]:
    return tuple(
        slice(start - low, stop - low)
        for (start, stop), (low, _) in zip(box, wider, strict=True)
    )


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
