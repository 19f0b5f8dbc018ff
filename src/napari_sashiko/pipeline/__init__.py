"""The one door: what docks, command line and Python call, and the types they need.

Names that load torch or matplotlib are looked up at their first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from napari_sashiko.exports import ExportDone, ExportSettings
from napari_sashiko.instances import (
    ComponentsFound,
    InstancesDone,
    InstanceSettings,
    chosen_class,
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
from napari_sashiko.measurements import (
    Measurements,
    Spread,
    fractions_of,
    line_of,
    lines_of,
    read_measurements,
    with_error,
)
from napari_sashiko.pipeline.applying import (
    ApplySettings,
    PictureDone,
    PicturesDone,
    apply_steps,
)
from napari_sashiko.pipeline.augmenting import augmented_patches
from napari_sashiko.pipeline.blocking import (
    evaluate,
    find_places,
    measure,
    predict,
    prediction_sets,
    report,
    segment_instances,
    train,
    training_settings,
)
from napari_sashiko.pipeline.blocking_folders import apply, evaluate_folder
from napari_sashiko.pipeline.compared import FolderCompared
from napari_sashiko.pipeline.comparing import compare_steps
from napari_sashiko.pipeline.exploring import (
    embed,
    embed_steps,
    explore,
    explore_settings,
    explore_steps,
    outside_line,
)
from napari_sashiko.pipeline.exporting import (
    Exportable,
    export,
    export_steps,
    exportables,
)
from napari_sashiko.pipeline.folder_labels import FolderSettings
from napari_sashiko.pipeline.folder_looking import (
    FolderFound,
    FoundClass,
    has_labels,
    look_steps,
)
from napari_sashiko.pipeline.folder_pictures import portfolio_of
from napari_sashiko.pipeline.folder_results import (
    FolderResults,
    is_results,
    read_results,
)
from napari_sashiko.pipeline.folder_volume import image_to_look_at
from napari_sashiko.pipeline.found import Instances, open_instances
from napari_sashiko.pipeline.held_out import (
    HeldOutScores,
    model_scores,
    score_lines,
)
from napari_sashiko.pipeline.info import Description, describe, kind_of
from napari_sashiko.pipeline.inputs import (
    CLASSES_SUFFIX,
    PaintedLabels,
    open_image,
    read_paint,
)
from napari_sashiko.pipeline.kept_models import keep_model, keeping, kept_for
from napari_sashiko.pipeline.looking import place_steps
from napari_sashiko.pipeline.measure_events import MeasureDone, MemberStarted
from napari_sashiko.pipeline.measure_settings import (
    MeasureSettings,
    recipe_values,
    settings_like,
)
from napari_sashiko.pipeline.measured import measurements_like
from napari_sashiko.pipeline.measuring import measure_steps
from napari_sashiko.pipeline.mending import mend_steps
from napari_sashiko.pipeline.models import (
    Previewed,
    estimate,
    list_models,
    model_of,
    open_model,
    preview,
)
from napari_sashiko.pipeline.noting import note_image
from napari_sashiko.pipeline.project import Project, ProjectRecord
from napari_sashiko.pipeline.recipe import Recipe, read_recipe
from napari_sashiko.pipeline.reconstructing import (
    read_angles,
    reconstruct,
    reconstruct_steps,
    train_reconstruct,
    train_reconstruct_settings,
    train_reconstruct_steps,
)
from napari_sashiko.pipeline.reopening import (
    ProjectImage,
    Reopened,
    Trained,
    project_image,
    reopen_project,
)
from napari_sashiko.pipeline.restoring import (
    evaluate_image,
    restore,
    restore_settings,
    restore_steps,
)
from napari_sashiko.pipeline.results import (
    Prediction,
    PredictionSets,
    Reconstructed,
    Restored,
    check_prediction,
    open_prediction,
    open_reconstructed,
    open_restored,
    open_result,
    open_sets,
)
from napari_sashiko.pipeline.scoring import ResultScored, score_steps
from napari_sashiko.pipeline.shown_pictures import ShownPictures, open_pictures
from napari_sashiko.pipeline.sources import Sources, find_sources
from napari_sashiko.pipeline.steps import (
    instance_steps,
    live_steps,
    predict_steps,
    set_steps,
    train_steps,
)
from napari_sashiko.pipeline.warming import warm_up_steps
from napari_sashiko.prediction import (
    CellDone,
    Embedding,
    EmbedDone,
    EmbedSettings,
    Estimate,
    Evaluation,
    Place,
    PlacesFound,
    PlacesSettings,
    PredictionDone,
    PredictionSettings,
    PredictionStarted,
    ReconstructSettings,
    SetsDone,
    SetSettings,
    check_method,
    read_embedding,
)
from napari_sashiko.runners import Event, Message, Progress, Tick
from napari_sashiko.samples import (
    SAMPLES,
    Sample,
    check_sample_folder,
    load_sample,
    write_sample,
)
from napari_sashiko.volumes import Region, Volume, as_volume, open_volume

if TYPE_CHECKING:
    from napari_sashiko.checkpoints import ModelCard, load_card, model_digest
    from napari_sashiko.pipeline.evidence import Evidence
    from napari_sashiko.pipeline.figures import (
        draw_figure,
        figure_data,
        figure_titles,
    )
    from napari_sashiko.pipeline.parts import (
        part_names,
        part_settings,
    )
    from napari_sashiko.pipeline.report_files import write_whole
    from napari_sashiko.pipeline.reporting import (
        FigureDone,
        ReportDone,
        ReportSettings,
        report_steps,
    )
    from napari_sashiko.plots import PlotData, PlotSettings, PlotStyle
    from napari_sashiko.training import (
        EpochDone,
        ExploreSettings,
        MemberSaved,
        PaintTaken,
        RestoreSettings,
        TrainingDecided,
        TrainingDone,
        TrainingRested,
        TrainingSettings,
        TrainingStarted,
        TrainingWaits,
        TrainReconstructSettings,
    )

_LOADED_LATER = {
    "EpochDone": "training",
    "ExploreSettings": "training",
    "Evidence": "pipeline.evidence",
    "FigureDone": "pipeline.reporting",
    "MemberSaved": "training",
    "ModelCard": "checkpoints",
    "PaintTaken": "training",
    "PlotData": "plots",
    "PlotSettings": "plots",
    "PlotStyle": "plots",
    "ReportDone": "pipeline.reporting",
    "ReportSettings": "pipeline.reporting",
    "RestoreSettings": "training",
    "TrainReconstructSettings": "training",
    "TrainingDecided": "training",
    "TrainingDone": "training",
    "TrainingRested": "training",
    "TrainingSettings": "training",
    "TrainingStarted": "training",
    "TrainingWaits": "training",
    "draw_figure": "pipeline.figures",
    "figure_data": "pipeline.figures",
    "figure_titles": "pipeline.figures",
    "load_card": "checkpoints",
    "model_digest": "checkpoints",
    "part_names": "pipeline.parts",
    "part_settings": "pipeline.parts",
    "report_steps": "pipeline.reporting",
    "write_whole": "pipeline.report_files",
}

__all__ = [
    "CLASSES_SUFFIX",
    "PALETTE",
    "SAMPLES",
    "ApplySettings",
    "CellDone",
    "ComponentsFound",
    "Description",
    "EmbedDone",
    "EmbedSettings",
    "Embedding",
    "EpochDone",
    "Estimate",
    "Evaluation",
    "Event",
    "Evidence",
    "ExploreSettings",
    "ExportDone",
    "ExportSettings",
    "Exportable",
    "FigureDone",
    "FolderCompared",
    "FolderFound",
    "FolderResults",
    "FolderSettings",
    "FoundClass",
    "HeldOutScores",
    "InstanceSettings",
    "Instances",
    "InstancesDone",
    "LabelClass",
    "LabelStore",
    "LabelledVoxels",
    "MeasureDone",
    "MeasureSettings",
    "Measurements",
    "MemberSaved",
    "MemberStarted",
    "Message",
    "ModelCard",
    "PaintTaken",
    "PaintedLabels",
    "PictureDone",
    "PicturesDone",
    "Place",
    "PlacesFound",
    "PlacesSettings",
    "PlotData",
    "PlotSettings",
    "PlotStyle",
    "Prediction",
    "PredictionDone",
    "PredictionSets",
    "PredictionSettings",
    "PredictionStarted",
    "Previewed",
    "Progress",
    "Project",
    "ProjectImage",
    "ProjectRecord",
    "Recipe",
    "ReconstructSettings",
    "Reconstructed",
    "Region",
    "Reopened",
    "ReportDone",
    "ReportSettings",
    "RestoreSettings",
    "Restored",
    "ResultScored",
    "Sample",
    "SetSettings",
    "SetsDone",
    "ShownPictures",
    "Sources",
    "Spread",
    "Tick",
    "TrainReconstructSettings",
    "Trained",
    "TrainingDecided",
    "TrainingDone",
    "TrainingRested",
    "TrainingSettings",
    "TrainingStarted",
    "TrainingWaits",
    "Volume",
    "apply",
    "apply_steps",
    "as_volume",
    "augmented_patches",
    "check_labels",
    "check_method",
    "check_prediction",
    "check_sample_folder",
    "chosen_class",
    "compare_steps",
    "component_sizes",
    "default_classes",
    "describe",
    "draw_figure",
    "dust_counts",
    "dust_voxels",
    "embed",
    "embed_steps",
    "estimate",
    "evaluate",
    "evaluate_folder",
    "evaluate_image",
    "explore",
    "explore_settings",
    "explore_steps",
    "export",
    "export_steps",
    "exportables",
    "figure_data",
    "figure_titles",
    "find_places",
    "find_sources",
    "fractions_of",
    "has_labels",
    "image_to_look_at",
    "instance_steps",
    "is_results",
    "keep_model",
    "keeping",
    "kept_for",
    "kind_of",
    "labelled_voxels",
    "line_of",
    "lines_of",
    "list_models",
    "live_steps",
    "load_card",
    "load_sample",
    "look_steps",
    "measure",
    "measure_steps",
    "measurements_like",
    "mend_steps",
    "model_digest",
    "model_of",
    "model_scores",
    "note_image",
    "open_image",
    "open_instances",
    "open_model",
    "open_pictures",
    "open_prediction",
    "open_reconstructed",
    "open_restored",
    "open_result",
    "open_sets",
    "open_volume",
    "outside_line",
    "part_names",
    "part_settings",
    "place_steps",
    "portfolio_of",
    "predict",
    "predict_steps",
    "prediction_sets",
    "preview",
    "preview_instances",
    "project_image",
    "read_angles",
    "read_embedding",
    "read_measurements",
    "read_paint",
    "read_recipe",
    "read_results",
    "recipe_values",
    "reconstruct",
    "reconstruct_steps",
    "reopen_project",
    "report",
    "report_steps",
    "restore",
    "restore_settings",
    "restore_steps",
    "scan_components",
    "score_lines",
    "score_steps",
    "segment_instances",
    "set_steps",
    "settings_like",
    "train",
    "train_reconstruct",
    "train_reconstruct_settings",
    "train_reconstruct_steps",
    "train_steps",
    "training_settings",
    "warm_up_steps",
    "with_error",
    "write_sample",
    "write_whole",
]


def __getattr__(name: str) -> Any:
    if name in _LOADED_LATER:
        room = importlib.import_module(f"napari_sashiko.{_LOADED_LATER[name]}")
        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
