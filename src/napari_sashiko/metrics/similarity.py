"""Structural similarity of images, by windows that lie in blocks with a halo.

Strategy: SSIM is a mean over windows. Each window that fits into a block as a whole
counts, so that blocks that overlap by a window less one voxel count each window of the
image once, and no block needs to know where in the image it lies.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.metrics._comparing import (
    IMAGE_METRICS,
    Floats,
    Scores,
    checked_range,
    compared,
)

K1, K2 = 0.01, 0.03  # as in the paper
WINDOW = 7  # voxels along each side


@dataclass(frozen=True)
class SimilarityScores(Scores):
    """Structural similarity of an image and its truth.

    Attributes
    ----------
    ssim : float
        Mean over windows, at most 1; NaN without any.
    windows : int
        How many were compared.
    """

    ssim: float
    windows: int


@IMAGE_METRICS.register("ssim")
class StructuralSimilarity:
    """SSIM (Wang et al., IEEE Trans. Image Process. 13, 600, 2004, eq. 13).

    ``(2 mx my + c1)(2 sxy + c2) / ((mx^2 + my^2 + c1)(sx^2 + sy^2 + c2))`` with means m
    and covariances s of a window of equal weights, ``c = (K R)^2`` and R the data
    range; the mean over all windows that lie in the image as a whole. It equals
    ``skimage.metrics.structural_similarity``.

    Blocks of an image must overlap: grow each by ``halo`` voxels where the image goes
    on. Each window is then in one block, and counts once.

    Parameters
    ----------
    data_range : float
        Largest difference of grey values that is possible.
    dims : int
        2 compares each slice on its own, 3 whole volumes.
    window : int
        Side of a window, voxels; odd.

    Attributes
    ----------
    halo : tuple of int
        Voxels by which blocks ``(Z, Y, X)`` must be grown: 0 along Z for slices.

    Raises
    ------
    SettingsError
        If a value is not possible.
    """

    def __init__(
        self, data_range: float, *, dims: int = 3, window: int = WINDOW
    ) -> None:
        if dims not in (2, 3):
            raise SettingsError(f"dims = {dims} is not possible.", "Use 2 or 3.")
        if window < 3 or window % 2 == 0:
            raise SettingsError(
                f"window = {window} is not possible.", "Use 3, 5, 7 or another odd one."
            )
        self.data_range = checked_range(data_range)
        self.dims = dims
        self.window = window
        self.halo = (0,) * (3 - dims) + (window // 2,) * dims
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._sum = 0.0
        self._windows = 0

    def update(
        self, image: ArrayLike, truth: ArrayLike, ignore: ArrayLike | None = None
    ) -> None:
        """Add the windows that lie in a block as a whole, if there are any.

        Parameters
        ----------
        image, truth : array
            Grey values of one shape; windows go over the last `dims` axes.
        ignore : array, optional
            Of the same shape: a window with a voxel that is not 0 here, or whose grey
            value is NaN or infinite, does not count.

        Raises
        ------
        VolumeError
            If shapes differ, or there are fewer axes than `dims`.
        """
        x, y, unknown = compared(image, truth, ignore)
        if x.ndim < self.dims:
            raise VolumeError(
                f"An image of shape {x.shape} has no windows in {self.dims}D.",
                "Use dims=2 for pictures.",
            )
        if min(x.shape[-self.dims :]) < self.window:
            return
        values = self._similarity(x, y)
        if unknown.any():
            values = values[self._mean(unknown.astype(np.float64)) < 0.5 / self._size]
        self._sum += float(values.sum())
        self._windows += values.size

    def compute(self) -> SimilarityScores:
        """Return the mean over all windows since the last reset."""
        mean = self._sum / self._windows if self._windows else math.nan
        return SimilarityScores(ssim=mean, windows=self._windows)

    @property
    def _size(self) -> int:
        return int(self.window**self.dims)

    def _similarity(self, x: Floats, y: Floats) -> Floats:
        mx, my = self._mean(x), self._mean(y)
        unbiased = self._size / (self._size - 1)
        sx = unbiased * (self._mean(x * x) - mx * mx)
        sy = unbiased * (self._mean(y * y) - my * my)
        sxy = unbiased * (self._mean(x * y) - mx * my)
        c1, c2 = ((k * self.data_range) ** 2 for k in (K1, K2))
        above = (2 * mx * my + c1) * (2 * sxy + c2)
        values: Floats = above / ((mx**2 + my**2 + c1) * (sx + sy + c2))
        return values

    def _mean(self, values: Floats) -> Floats:
        """Means over the windows that lie within the last axes as a whole."""
        size = (1,) * (values.ndim - self.dims) + (self.window,) * self.dims
        means: Floats = ndimage.uniform_filter(values, size)
        edge = self.window // 2
        inner = means[..., edge:-edge, edge:-edge]
        return inner if self.dims == 2 else inner[..., edge:-edge, :, :]
