"""A bank of multiscale filters: what each voxel's surroundings look like.

Strategy: each scale is computed on the smallest region that it needs, in pieces, by
compiled loops where there are any and else by tensors (see `_hands`).
"""

import math
from collections.abc import Callable

import torch

from napari_sashiko.config import Settings
from napari_sashiko.forests._hands import Box
from napari_sashiko.forests._region import SLOPE, FilteredRegion, side_by_side, within


class FilterBank(Settings):
    """Which filters; the order of its features is part of the contract.

    Per channel: the voxel itself; for each scale the Gaussian mean, the local standard
    deviation, the gradient's length, the Laplacian and the eigenvalues of the Hessian;
    then, for each scale of ``textures``, the root mean square slope along each axis in
    that neighbourhood, and last how the slopes along y and x go together there. The
    first set is that of ilastik (Sommer et al., ISBI 2011); the last ones tell
    directions and textures apart, which no rotation-invariant filter can.

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
    slants : bool
        Whether the correlation of the slopes along y and x is a feature: its sign is
        what one diagonal differs in from the other. Forests of before have none.
    """

    dims: int = 3
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sigmas: tuple[float, ...] = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
    textures: tuple[float, ...] = (3.0, 5.0)
    slants: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that filters run along."""
        return (0, 1, 2) if self.dims == 3 else (1, 2)

    @property
    def per_scale(self) -> int:
        """Features of one scale: four, and as many eigenvalues as axes."""
        return 4 + len(self.axes)

    @property
    def count(self) -> int:
        """Features of one channel."""
        return 1 + self.per_scale * len(self.sigmas) + self.directed

    @property
    def directed(self) -> int:
        """Features of one channel that tell directions apart: the last ones."""
        return (len(self.axes) + self.slants) * len(self.textures)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Voxels around a region that its features depend on, (z, y, x)."""
        return (self._halo(0), self._halo(1), self._halo(2))

    def _halo(self, axis: int) -> int:
        if axis not in self.axes:
            return 0
        reaches = [self.reach(sigma, axis) + 2 for sigma in self.sigmas]
        slope = self.reach(SLOPE, axis) + 1
        reaches += [self.reach(sigma, axis) + slope for sigma in self.textures]
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
            Called between pieces; may raise to stop.

        Returns
        -------
        torch.Tensor
            ``(F, z, y, x)`` float32 over the core.
        """
        tick()
        region = FilteredRegion(self, patch, core)
        out = patch.new_empty((region.count, *(high - low for low, high in core)))

        def fill(piece: Box) -> None:
            out[(slice(None), *within(piece, core))] = region.features(piece)

        for _ in side_by_side(fill, region.pieces, region.threads):
            tick()
        return out

    def grow(self, box: Box, shape: torch.Size, by: int) -> Box:
        """The box and `by` voxels around it, as far as the volume goes."""
        return tuple(
            (max(start - by, 0), min(stop + by, size))
            if axis in self.axes
            else (start, stop)
            for axis, ((start, stop), size) in enumerate(zip(box, shape, strict=True))
        )

    def reach(self, sigma: float, axis: int) -> int:
        """Voxels along `axis` that a Gaussian looks at, on each side."""
        width = sigma / self.spacing[axis]
        return math.ceil((3.0 if width < 4 else 2.5) * width) if width > 0.2 else 0
