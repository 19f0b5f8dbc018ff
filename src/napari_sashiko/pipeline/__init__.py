"""The one door: what docks, command line and Python call, and the types they need.

Names that load torch are looked up at their first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from napari_sashiko.instances import (
    ComponentsFound,
    InstancesDone,
    InstanceSettings,
    component_sizes,
    dust_counts,
    dust_voxels,
    preview_instances,
    scan_components,
)
from napari_sashiko.labels import (
    PALETTE,
    LabelClass,
    LabelledVoxels,
    LabelStore,
    check_labels,
    default_classes,
    labelled_voxels,
)
from napari_sashiko.pipeline.blocking import (
    evaluate,
    find_places,
    predict,
    prediction_sets,
    segment_instances,
    train,
    training_settings,
)
from napari_sashiko.pipeline.found import Instances, open_instances
from napari_sashiko.pipeline.info import Description, describe
from napari_sashiko.pipeline.inputs import (
    CLASSES_SUFFIX,
    PaintedLabels,
    open_image,
    read_paint,
)
from napari_sashiko.pipeline.models import estimate, list_models, open_model, preview
from napari_sashiko.pipeline.project import Project, ProjectRecord
from napari_sashiko.pipeline.recipe import Recipe, read_recipe
from napari_sashiko.pipeline.results import (
    Prediction,
    check_prediction,
    open_prediction,
)
from napari_sashiko.pipeline.steps import (
    instance_steps,
    place_steps,
    predict_steps,
    set_steps,
    train_steps,
)
from napari_sashiko.prediction import (
    CellDone,
    Estimate,
    Evaluation,
    Place,
    PlacesFound,
    PlacesSettings,
    PredictionDone,
    PredictionSettings,
    PredictionStarted,
    SetsDone,
    SetSettings,
)
from napari_sashiko.runners import Event, Message, Progress, Tick
from napari_sashiko.samples import (
    SAMPLES,
    Sample,
    SampleFiles,
    check_sample_folder,
    load_sample,
    write_sample,
)
from napari_sashiko.volumes import Region, Volume, as_volume, open_volume

if TYPE_CHECKING:
    from napari_sashiko.checkpoints import ModelCard, load_card, model_digest
    from napari_sashiko.pipeline.parts import network_names
    from napari_sashiko.training import (
        EpochDone,
        MemberSaved,
        TrainingDone,
        TrainingSettings,
        TrainingStarted,
    )

_LOADS_TORCH = {
    "EpochDone": "training",
    "MemberSaved": "training",
    "ModelCard": "checkpoints",
    "TrainingDone": "training",
    "TrainingSettings": "training",
    "TrainingStarted": "training",
    "load_card": "checkpoints",
    "model_digest": "checkpoints",
    "network_names": "pipeline.parts",
}

__all__ = [
    "CLASSES_SUFFIX",
    "PALETTE",
    "SAMPLES",
    "CellDone",
    "ComponentsFound",
    "Description",
    "EpochDone",
    "Estimate",
    "Evaluation",
    "Event",
    "InstanceSettings",
    "Instances",
    "InstancesDone",
    "LabelClass",
    "LabelStore",
    "LabelledVoxels",
    "MemberSaved",
    "Message",
    "ModelCard",
    "PaintedLabels",
    "Place",
    "PlacesFound",
    "PlacesSettings",
    "Prediction",
    "PredictionDone",
    "PredictionSettings",
    "PredictionStarted",
    "Progress",
    "Project",
    "ProjectRecord",
    "Recipe",
    "Region",
    "Sample",
    "SampleFiles",
    "SetSettings",
    "SetsDone",
    "Tick",
    "TrainingDone",
    "TrainingSettings",
    "TrainingStarted",
    "Volume",
    "as_volume",
    "check_labels",
    "check_prediction",
    "check_sample_folder",
    "component_sizes",
    "default_classes",
    "describe",
    "dust_counts",
    "dust_voxels",
    "estimate",
    "evaluate",
    "find_places",
    "instance_steps",
    "labelled_voxels",
    "list_models",
    "load_card",
    "load_sample",
    "model_digest",
    "network_names",
    "open_image",
    "open_instances",
    "open_model",
    "open_prediction",
    "open_volume",
    "place_steps",
    "predict",
    "predict_steps",
    "prediction_sets",
    "preview",
    "preview_instances",
    "read_paint",
    "read_recipe",
    "scan_components",
    "segment_instances",
    "set_steps",
    "train",
    "train_steps",
    "training_settings",
    "write_sample",
]


def __getattr__(name: str) -> Any:
    if name in _LOADS_TORCH:
        room = importlib.import_module(f"napari_sashiko.{_LOADS_TORCH[name]}")
        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
