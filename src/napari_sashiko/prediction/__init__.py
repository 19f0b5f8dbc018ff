"""Prediction: mean, deviation and classes of a whole volume, resumable, by blocks."""

from napari_sashiko.prediction.estimate import Estimate, estimate
from napari_sashiko.prediction.evaluate import ClassScores, Evaluation, evaluate
from napari_sashiko.prediction.events import (
    CellDone,
    Place,
    PlacesFound,
    PredictionDone,
    PredictionStarted,
    SetsDone,
)
from napari_sashiko.prediction.places import find_places, places_in_prediction
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.preview import preview
from napari_sashiko.prediction.run import predict
from napari_sashiko.prediction.sets import SetSettings, prediction_sets
from napari_sashiko.prediction.settings import PlacesSettings, PredictionSettings
from napari_sashiko.prediction.store import read_record, reading_prediction

__all__ = [
    "CellDone",
    "ClassScores",
    "Estimate",
    "Evaluation",
    "Place",
    "PlacesFound",
    "PlacesSettings",
    "PredictionDone",
    "PredictionSettings",
    "PredictionStarted",
    "Predictor",
    "SetSettings",
    "SetsDone",
    "estimate",
    "evaluate",
    "find_places",
    "places_in_prediction",
    "predict",
    "prediction_sets",
    "preview",
    "read_record",
    "reading_prediction",
]
