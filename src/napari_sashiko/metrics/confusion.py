"""Confusion matrix and the scores that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sashiko.errors import LabelError
from napari_sashiko.metrics._streaming import METRICS, channel_of, class_ids, scored


@dataclass(frozen=True)
class Averages:
    """Scores of all classes in one number each, in [0, 1]; Dice is F1.

    ``micro`` averages count TP, FP and FN of all classes together, so that every voxel
    has one vote. A miss of one class is a false alarm of another: precision, recall and
    F1 are all the accuracy. ``macro`` averages are means over the classes that occur in
    the truth, whatever their size; that of the IoU is known as mean IoU.
    """

    precision: float
    recall: float
    f1: float
    iou: float
    dice: float


@dataclass(frozen=True)
class ConfusionScores:
    """Scores of a confusion matrix, all in [0, 1]; per class in channel order.

    With true positives TP, false positives FP, false negatives FN of a class:
    precision = TP / (TP + FP), recall = TP / (TP + FN), iou = TP / (TP + FP + FN),
    f1 = dice = 2 TP / (2 TP + FP + FN); 0 where the denominator is 0.

    Attributes
    ----------
    classes : tuple of int
        Class ids.
    support : tuple of int
        True voxels.
    accuracy : float
        Share of voxels whose class is right.
    macro, micro : Averages
        Over the classes that occur in the truth, and over voxels.
    """

    classes: tuple[int, ...]
    support: tuple[int, ...]
    accuracy: float
    f1: tuple[float, ...]
    iou: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    macro: Averages
    micro: Averages

    @property
    def dice(self) -> tuple[float, ...]:
        """Dice coefficient per class: F1 under its other name."""
        return self.f1

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that occur in the truth."""
        return self.macro.f1

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes that occur in the truth."""
        return self.macro.iou


@METRICS.register("confusion")
class ConfusionMatrix:
    """Counts of (true class, predicted class).

    Parameters
    ----------
    classes : int or sequence of int
        Number of classes (ids 1..C), or their ids in channel order.

    Attributes
    ----------
    matrix : NDArray
        ``(C, C)`` counts, rows are truth.
    """

    def __init__(self, classes: int | Sequence[int]) -> None:
        self.classes = class_ids(classes)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.matrix = np.zeros((len(self.classes),) * 2, np.int64)

    def update(self, probabilities: ArrayLike, truth: ArrayLike) -> None:
        """Add voxels by their most probable class.

        Parameters
        ----------
        probabilities : array
            ``(C, *S)``.
        truth : array
            ``(*S)`` class ids, 0 = not scored.

        Raises
        ------
        LabelError
            If shapes do not fit or a class id is unknown.
        """
        p, channels = scored(probabilities, truth, self.classes)
        self._count(channels, p.argmax(axis=0))

    def update_classes(self, predicted: ArrayLike, truth: ArrayLike) -> None:
        """Add voxels by predicted class ids ``(*S)``.

        Raises
        ------
        LabelError
            If shapes do not fit or a class id is unknown.
        """
        p, t = np.asarray(predicted), np.asarray(truth)
        if p.shape != t.shape:
            raise LabelError(
                f"Predicted classes {p.shape} and truth {t.shape} differ in shape."
            )
        known = t != 0
        ids = self.classes
        self._count(channel_of(t[known], ids), channel_of(p[known], ids))

    def compute(self) -> ConfusionScores:
        """Return the scores of all voxels since the last reset; 0 without voxels."""
        hits, truth = np.diag(self.matrix), self.matrix.sum(axis=1)
        found = self.matrix.sum(axis=0)
        single = _scores(hits, truth, found)
        macro = {key: _mean(values[truth > 0]) for key, values in single.items()}
        micro = _scores(hits.sum(), truth.sum(), found.sum())
        return ConfusionScores(
            classes=self.classes,
            support=tuple(int(n) for n in truth),
            accuracy=float(_ratio(hits.sum(), truth.sum())),
            **{key: _floats(values) for key, values in single.items()},
            macro=Averages(**macro, dice=macro["f1"]),
            micro=Averages(
                **{key: float(value) for key, value in micro.items()},
                dice=float(micro["f1"]),
            ),
        )

    def record(self) -> dict[str, list[Any]]:
        """Return ids of the classes and counts, whose rows are the truth, as JSON."""
        return {"classes": list(self.classes), "counts": self.matrix.tolist()}

    def _count(self, truth: NDArray[np.intp], found: NDArray[np.intp]) -> None:
        n = len(self.classes)
        self.matrix += np.bincount(truth * n + found, minlength=n * n).reshape(n, n)


def _scores(hits: Any, truth: Any, found: Any) -> dict[str, NDArray[np.float64]]:
    """Return scores by name, of TP, TP + FN and TP + FP."""
    return {
        "precision": _ratio(hits, found),
        "recall": _ratio(hits, truth),
        "f1": _ratio(2 * hits, truth + found),
        "iou": _ratio(hits, truth + found - hits),
    }


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def _ratio(above: Any, below: Any) -> NDArray[np.float64]:
    below = np.asarray(below)
    return np.asarray(above / np.where(below == 0, 1, below), np.float64)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
