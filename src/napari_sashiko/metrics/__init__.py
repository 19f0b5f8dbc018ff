"""Metrics that stream: reset, update with one block after the other, compute."""

from napari_sashiko.metrics._streaming import METRICS, Metric
from napari_sashiko.metrics.calibration import Calibration, CalibrationScores
from napari_sashiko.metrics.confusion import ConfusionMatrix, ConfusionScores

__all__ = [
    "METRICS",
    "Calibration",
    "CalibrationScores",
    "ConfusionMatrix",
    "ConfusionScores",
    "Metric",
]
