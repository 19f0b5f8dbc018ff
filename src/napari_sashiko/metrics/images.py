"""How near an image comes to the one that it should be: errors and correlation.

Strategy: all scores follow from sums over voxels. Those of Pearson's correlation are
kept as means and centred products, and blocks are joined by the formula of Chan, Golub
& LeVeque (1983): plain sums of squares would lose the digits of an image whose grey
values are large and close together.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_sashiko.metrics._comparing import (
    IMAGE_METRICS,
    Scores,
    checked_range,
    compared,
)


@dataclass(frozen=True)
class ImageScores(Scores):
    """How far an image x is from its truth y, over the N voxels known in both.

    Attributes
    ----------
    pearson : float
        ``cov(x, y) / (std(x) std(y))`` in [-1, 1]; NaN where either is constant.
    psnr : float
        Peak signal-to-noise ratio ``10 log10(R^2 / mean((x - y)^2))`` in dB, R the data
        range; infinite where they are equal.
    mean_absolute_error : float
        ``mean(|x - y|)``, in grey values.
    root_mean_square_error : float
        ``sqrt(mean((x - y)^2))``, in grey values.
    data_range : float
        R.
    voxels : int
        N; all others are NaN where it is 0.
    """

    pearson: float
    psnr: float
    mean_absolute_error: float
    root_mean_square_error: float
    data_range: float
    voxels: int


@IMAGE_METRICS.register("errors")
class ImageErrors:
    """Pearson's correlation, PSNR, mean absolute and root mean square error.

    Parameters
    ----------
    data_range : float, optional
        Largest difference of grey values that is possible; that of the truth, from its
        least to its greatest value, when missing.

    Raises
    ------
    SettingsError
        If the data range is not above 0.
    """

    def __init__(self, data_range: float | None = None) -> None:
        self.data_range = None if data_range is None else checked_range(data_range)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._voxels = 0
        self._means = np.zeros(2)
        self._products = np.zeros((2, 2))  # sums of (x - mean)(y - mean)
        self._absolute = self._squared = 0.0
        self._least, self._greatest = math.inf, -math.inf

    def update(
        self, image: ArrayLike, truth: ArrayLike, ignore: ArrayLike | None = None
    ) -> None:
        """Add voxels; those that are NaN or infinite in either do not count.

        Parameters
        ----------
        image, truth : array
            Grey values of one shape.
        ignore : array, optional
            Of the same shape: voxels that are not 0 here do not count.

        Raises
        ------
        VolumeError
            If shapes differ.
        """
        x, y, unknown = compared(image, truth, ignore)
        pairs = np.stack((x[~unknown], y[~unknown]))
        count = pairs.shape[1]
        if not count:
            return
        means = pairs.mean(axis=1)
        centred = pairs - means[:, None]
        total, apart = self._voxels + count, means - self._means
        # C = C1 + C2 + d d^T N1 N2 / N with d the difference of the means
        self._products += centred @ centred.T
        self._products += np.outer(apart, apart) * (self._voxels * count / total)
        self._means += apart * (count / total)
        self._voxels = total
        off = pairs[0] - pairs[1]
        self._absolute += float(np.abs(off).sum())
        self._squared += float(off @ off)
        self._least = min(self._least, float(pairs[1].min()))
        self._greatest = max(self._greatest, float(pairs[1].max()))

    def compute(self) -> ImageScores:
        """Return the scores of all voxels since the last reset."""
        if not self._voxels:
            return ImageScores(*(math.nan,) * 5, voxels=0)
        reach = self.data_range or self._greatest - self._least
        squared = self._squared / self._voxels
        return ImageScores(
            pearson=self._pearson(),
            psnr=_decibels(reach**2, squared),
            mean_absolute_error=self._absolute / self._voxels,
            root_mean_square_error=math.sqrt(squared),
            data_range=reach,
            voxels=self._voxels,
        )

    def _pearson(self) -> float:
        (xx, xy), (_, yy) = self._products
        return float(xy / math.sqrt(xx * yy)) if xx > 0 and yy > 0 else math.nan


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf
