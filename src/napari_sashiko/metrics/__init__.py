"""Metrics that stream: reset, update with one block after the other, compute."""

from napari_sashiko.metrics._comparing import IMAGE_METRICS, ImageMetric
from napari_sashiko.metrics._conformal import (
    COVERAGES,
    SetCalibration,
    calibrate_sets,
    in_set,
    strokes_needed,
)
from napari_sashiko.metrics._streaming import METRICS, Metric
from napari_sashiko.metrics.calibration import Calibration, CalibrationScores
from napari_sashiko.metrics.confusion import Averages, ConfusionMatrix, ConfusionScores
from napari_sashiko.metrics.coverage import Coverage, CoverageScores
from napari_sashiko.metrics.doubt import doubt, members_differ
from napari_sashiko.metrics.images import ImageErrors, ImageScores
from napari_sashiko.metrics.records import (
    OF_CLASS,
    name_of,
    overall_scores,
    scores_by_class,
)
from napari_sashiko.metrics.similarity import SimilarityScores, StructuralSimilarity

__all__ = [
    "COVERAGES",
    "IMAGE_METRICS",
    "METRICS",
    "OF_CLASS",
    "Averages",
    "Calibration",
    "CalibrationScores",
    "ConfusionMatrix",
    "ConfusionScores",
    "Coverage",
    "CoverageScores",
    "ImageErrors",
    "ImageMetric",
    "ImageScores",
    "Metric",
    "SetCalibration",
    "SimilarityScores",
    "StructuralSimilarity",
    "calibrate_sets",
    "doubt",
    "in_set",
    "members_differ",
    "name_of",
    "overall_scores",
    "scores_by_class",
    "strokes_needed",
]
