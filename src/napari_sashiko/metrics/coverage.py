"""How often prediction sets hold the true class, and how many classes they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_sashiko.metrics._conformal import in_set
from napari_sashiko.metrics._streaming import METRICS, class_ids, scored


@dataclass(frozen=True)
class CoverageScores:
    """What prediction sets reach on scored voxels; NaN without any.

    Neighbouring voxels are alike: however many there are, a coverage measured on few
    objects is known no better than these allow.

    Attributes
    ----------
    coverage : float
        Share of the voxels whose set holds the true class.
    mean_size : float
        Classes in a set, on average.
    sizes : tuple of int
        Voxels by size of their set, 0..C.
    class_coverage : tuple of float
        Coverage by true class, in channel order; NaN for a class without voxels.
    """

    coverage: float
    mean_size: float
    sizes: tuple[int, ...]
    class_coverage: tuple[float, ...]


@METRICS.register("coverage")
class Coverage:
    """Coverage and size of sets (Angelopoulos & Bates, arXiv 2107.07511, section 4).

    Parameters
    ----------
    classes : int or sequence of int
        Number of classes (ids 1..C), or their ids in channel order.
    least : float
        Least probability of a class in a set, from `calibrate_sets`.
    """

    def __init__(self, classes: int | Sequence[int], *, least: float = 0.5) -> None:
        self.classes = class_ids(classes)
        self.least = least
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        count = len(self.classes)
        self._sizes = np.zeros(count + 1, np.int64)
        self._held = np.zeros(count, np.int64)
        self._support = np.zeros(count, np.int64)

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
        rounded = np.asarray(probabilities)
        p, channels = scored(rounded, truth, self.classes)
        if rounded.dtype.kind == "f":
            p = p.astype(rounded.dtype)
        member = in_set(p, self.least)
        held = np.take_along_axis(member, channels[np.newaxis], axis=0)[0]
        count = len(self.classes)
        self._sizes += np.bincount(member.sum(axis=0), minlength=count + 1)
        self._held += np.bincount(channels[held], minlength=count)
        self._support += np.bincount(channels, minlength=count)

    def compute(self) -> CoverageScores:
        """Return the scores of all voxels since the last reset."""
        total = self._sizes.sum()
        with np.errstate(invalid="ignore"):
            by_class = self._held / self._support
            coverage = np.divide(self._held.sum(), total)
            mean = np.divide(self._sizes @ np.arange(len(self._sizes)), total)
        return CoverageScores(
            coverage=float(coverage),
            mean_size=float(mean),
            sizes=tuple(self._sizes.tolist()),
            class_coverage=tuple(by_class.tolist()),
        )
