"""Labels: classes, sparse paint, and what is wrong with it."""

from napari_sashiko.labels._mending import (
    accept_half,
    holds_paint,
    name_unknown,
    was_interrupted,
)
from napari_sashiko.labels.between import BetweenSettings, suggest_between
from napari_sashiko.labels.checks import check_labels, check_painted, check_shape
from napari_sashiko.labels.classes import (
    PALETTE,
    LabelClass,
    class_of_objects,
    default_classes,
)
from napari_sashiko.labels.disputes import Dispute, disputed_strokes
from napari_sashiko.labels.labelled import LabelledVoxels, labelled_voxels
from napari_sashiko.labels.store import LabelStore
from napari_sashiko.labels.strokes import stroke_components
from napari_sashiko.labels.suggestion import Suggestion
from napari_sashiko.labels.thinning import (
    even_shares,
    kept_pixels,
    kept_shares,
    may_keep,
    scattered,
)
from napari_sashiko.labels.tracked import TrackedArray
from napari_sashiko.labels.values import (
    NOTHING,
    LabelValues,
    check_count,
    count_values,
    name_of_value,
    text_of,
    value_of,
)

__all__ = [
    "NOTHING",
    "PALETTE",
    "BetweenSettings",
    "Dispute",
    "LabelClass",
    "LabelStore",
    "LabelValues",
    "LabelledVoxels",
    "Suggestion",
    "TrackedArray",
    "accept_half",
    "check_count",
    "check_labels",
    "check_painted",
    "check_shape",
    "class_of_objects",
    "count_values",
    "default_classes",
    "disputed_strokes",
    "even_shares",
    "holds_paint",
    "kept_pixels",
    "kept_shares",
    "labelled_voxels",
    "may_keep",
    "name_of_value",
    "name_unknown",
    "scattered",
    "stroke_components",
    "suggest_between",
    "text_of",
    "value_of",
    "was_interrupted",
]
