"""Whether probabilities mean what they say: calibration error and Brier score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_sashiko.errors import SettingsError
from napari_sashiko.metrics._streaming import METRICS, class_ids, scored


@dataclass(frozen=True)
class CalibrationScores:
    """Calibration of the most probable class, and the Brier score.

    Attributes
    ----------
    expected_calibration_error : float
        Mean of ``|accuracy - confidence|`` over the bins, weighted by voxels.
    brier : float
        Mean over voxels of ``sum_c (p_c - [c is true])**2``; 0 is perfect, 2 the worst.
    confidence, accuracy : tuple of float
        Reliability curve: means per bin, NaN in an empty bin.
    counts : tuple of int
        Voxels per bin.
    """

    expected_calibration_error: float
    brier: float
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]

    def record(self) -> dict[str, list[float | None] | list[int]]:
        """Return the reliability curve as JSON, which has no NaN: None instead."""
        return {
            "confidence": [None if math.isnan(v) else v for v in self.confidence],
            "accuracy": [None if math.isnan(v) else v for v in self.accuracy],
            "counts": list(self.counts),
        }


@METRICS.register("calibration")
class Calibration:
    """Top-label calibration in bins of equal width (Guo et al., ICML 2017, eq. 3).

    Parameters
    ----------
    classes : int or sequence of int
        Number of classes (ids 1..C), or their ids in channel order.
    bins : int
        Bins over [0, 1].

    Raises
    ------
    SettingsError
        If there is no bin.
    """

    def __init__(self, classes: int | Sequence[int], *, bins: int = 15) -> None:
        if bins < 1:
            raise SettingsError(f"bins = {bins} is not possible.", "Use 1 or more.")
        self.classes = class_ids(classes)
        self.bins = bins
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._counts = np.zeros(self.bins, np.int64)
        self._confidence = np.zeros(self.bins)
        self._hits = np.zeros(self.bins)
        self._squares = 0.0

    def update(self, probabilities: ArrayLike, truth: ArrayLike) -> None:
        """Add voxels.

        Parameters
        ----------
        probabilities : array
            ``(C, *S)``, in [0, 1].
        truth : array
            ``(*S)`` class ids, 0 = not scored.

        Raises
        ------
        LabelError
            If shapes do not fit or a class id is unknown.
        """
        p, channels = scored(probabilities, truth, self.classes)
        top, best = p.max(axis=0), p.argmax(axis=0)
        place = (top * self.bins).astype(np.intp).clip(0, self.bins - 1)
        self._counts += np.bincount(place, minlength=self.bins)
        self._confidence += np.bincount(place, top, self.bins)
        self._hits += np.bincount(place, best == channels, self.bins)
        true_p = np.take_along_axis(p, channels[None], axis=0)
        # sum_c (p_c - y_c)^2 = sum_c p_c^2 - 2 p_true + 1
        self._squares += float((p**2).sum() - 2.0 * true_p.sum() + channels.size)

    def compute(self) -> CalibrationScores:
        """Return the scores of all voxels since the last reset; 0 without voxels."""
        total = max(int(self._counts.sum()), 1)
        with np.errstate(invalid="ignore"):
            confidence = self._confidence / self._counts
            accuracy = self._hits / self._counts
        gaps = np.abs(self._hits - self._confidence)
        return CalibrationScores(
            expected_calibration_error=float(gaps.sum() / total),
            brier=self._squares / total,
            confidence=tuple(confidence.tolist()),
            accuracy=tuple(accuracy.tolist()),
            counts=tuple(self._counts.tolist()),
        )
