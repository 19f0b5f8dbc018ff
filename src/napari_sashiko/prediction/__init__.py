"""Prediction: mean, deviation and classes of a whole volume, resumable, by blocks."""

from napari_sashiko.prediction.estimate import Estimate, estimate
from napari_sashiko.prediction.evaluate import (
    ClassScores,
    Evaluation,
    evaluate,
    evaluate_steps,
)
from napari_sashiko.prediction.events import (
    CellDone,
    PredictionDone,
    PredictionStarted,
    SetsDone,
)
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.preview import preview
from napari_sashiko.prediction.run import predict
from napari_sashiko.prediction.sets import SetSettings, prediction_sets
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
    "SetSettings",
    "SetsDone",
    "estimate",
    "evaluate",
    "evaluate_steps",
    "predict",
    "prediction_sets",
    "preview",
    "read_record",
    "reading_prediction",
]
