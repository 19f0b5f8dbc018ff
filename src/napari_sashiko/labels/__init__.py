"""Labels: classes, sparse paint, and what is wrong with it."""

from napari_sashiko.labels._mending import holds_paint, was_interrupted
from napari_sashiko.labels.between import BetweenSettings, suggest_between
from napari_sashiko.labels.checks import check_labels
from napari_sashiko.labels.classes import PALETTE, LabelClass, default_classes
from napari_sashiko.labels.disputes import Dispute, disputed_strokes
from napari_sashiko.labels.labelled import LabelledVoxels, labelled_voxels
from napari_sashiko.labels.store import LabelStore
from napari_sashiko.labels.strokes import stroke_components
from napari_sashiko.labels.suggestion import Suggestion
from napari_sashiko.labels.tracked import TrackedArray

__all__ = [
    "PALETTE",
    "BetweenSettings",
    "Dispute",
    "LabelClass",
    "LabelStore",
    "LabelledVoxels",
    "Suggestion",
    "TrackedArray",
    "check_labels",
    "default_classes",
    "disputed_strokes",
    "holds_paint",
    "labelled_voxels",
    "stroke_components",
    "suggest_between",
    "was_interrupted",
]
