"""Prediction: mean, deviation and classes of a whole volume, resumable, by blocks."""

from napari_sashiko.prediction._prepare import check_classifies, check_volume
from napari_sashiko.prediction.compare import Comparison
from napari_sashiko.prediction.compare import compare_steps as compare_image_steps
from napari_sashiko.prediction.counting import ClassTotals, count_classes
from napari_sashiko.prediction.embed_settings import EmbedSettings
from napari_sashiko.prediction.embed_table import Embedding, read_embedding
from napari_sashiko.prediction.embedding import embed
from napari_sashiko.prediction.estimate import Estimate, estimate
from napari_sashiko.prediction.evaluate import (
    ClassScores,
    Evaluation,
    evaluate,
    evaluate_steps,
)
from napari_sashiko.prediction.events import (
    CellDone,
    EmbedDone,
    Place,
    PlacesFound,
    PredictionDone,
    PredictionStarted,
    SetsDone,
)
from napari_sashiko.prediction.mending import mend_prediction
from napari_sashiko.prediction.picture import PicturePart, predict_picture
from napari_sashiko.prediction.places import find_places, places_in_prediction
from napari_sashiko.prediction.plan import (
    Plan,
    make_plan,
    plan_from_record,
    voxels_for,
    windows_at_once,
)
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.preview import preview
from napari_sashiko.prediction.reconstruct_settings import ReconstructSettings
from napari_sashiko.prediction.reconstructing import reconstruct
from napari_sashiko.prediction.reducing import check_method
from napari_sashiko.prediction.run import predict
from napari_sashiko.prediction.sets import SetSettings, prediction_sets
from napari_sashiko.prediction.settings import PlacesSettings, PredictionSettings
from napari_sashiko.prediction.store import (
    KINDS,
    PREDICTION,
    RECONSTRUCTED,
    RESTORED,
    read_record,
    reading_prediction,
    record_of,
)

__all__ = [
    "KINDS",
    "PREDICTION",
    "RECONSTRUCTED",
    "RESTORED",
    "CellDone",
    "ClassScores",
    "ClassTotals",
    "Comparison",
    "EmbedDone",
    "EmbedSettings",
    "Embedding",
    "Estimate",
    "Evaluation",
    "PicturePart",
    "Place",
    "PlacesFound",
    "PlacesSettings",
    "Plan",
    "PredictionDone",
    "PredictionSettings",
    "PredictionStarted",
    "Predictor",
    "ReconstructSettings",
    "SetSettings",
    "SetsDone",
    "check_classifies",
    "check_method",
    "check_volume",
    "compare_image_steps",
    "count_classes",
    "embed",
    "estimate",
    "evaluate",
    "evaluate_steps",
    "find_places",
    "make_plan",
    "mend_prediction",
    "places_in_prediction",
    "plan_from_record",
    "predict",
    "predict_picture",
    "prediction_sets",
    "preview",
    "read_embedding",
    "read_record",
    "reading_prediction",
    "reconstruct",
    "record_of",
    "voxels_for",
    "windows_at_once",
]
