"""Metrics that stream: reset, update with one block after the other, compute."""

from napari_sashiko.metrics._conformal import (
    COVERAGES,
    SetCalibration,
    calibrate_sets,
    in_set,
    strokes_needed,
)
from napari_sashiko.metrics._streaming import METRICS, Metric
from napari_sashiko.metrics.calibration import Calibration, CalibrationScores
from napari_sashiko.metrics.confusion import ConfusionMatrix, ConfusionScores
from napari_sashiko.metrics.coverage import Coverage, CoverageScores
from napari_sashiko.metrics.doubt import doubt, members_differ
from napari_sashiko.metrics.records import (
    OF_CLASS,
    name_of,
    overall_scores,
    scores_by_class,
)

__all__ = [
    "COVERAGES",
    "METRICS",
    "OF_CLASS",
    "Calibration",
    "CalibrationScores",
    "ConfusionMatrix",
    "ConfusionScores",
    "Coverage",
    "CoverageScores",
    "Metric",
    "SetCalibration",
    "calibrate_sets",
    "doubt",
    "in_set",
    "members_differ",
    "name_of",
    "overall_scores",
    "scores_by_class",
    "strokes_needed",
]
