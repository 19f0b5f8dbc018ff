"""Prediction: mean, deviation and classes of a whole volume, resumable, by blocks."""

from napari_sashiko.prediction.estimate import Estimate, estimate
from napari_sashiko.prediction.evaluate import ClassScores, Evaluation, evaluate
from napari_sashiko.prediction.events import (
    CellDone,
    PredictionDone,
    PredictionStarted,
)
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.preview import preview
from napari_sashiko.prediction.run import predict
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.prediction.store import read_record, reading_prediction

__all__ = [
    "CellDone",
    "ClassScores",
    "Estimate",
    "Evaluation",
    "PredictionDone",
    "PredictionSettings",
    "PredictionStarted",
    "Predictor",
    "estimate",
    "evaluate",
    "predict",
    "preview",
    "read_record",
    "reading_prediction",
]
