"""Training: from sparse labels to a model folder, as a generator of events."""

from napari_sashiko.training.choices import Choices, make_choices
from napari_sashiko.training.events import (
    EpochDone,
    MemberSaved,
    PaintTaken,
    TrainingDecided,
    TrainingDone,
    TrainingRested,
    TrainingStarted,
    TrainingWaits,
)
from napari_sashiko.training.explore import train_exploring
from napari_sashiko.training.explore_settings import ExploreSettings
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.learning import LearningSettings
from napari_sashiko.training.live import train_live
from napari_sashiko.training.others import disputed_by_others
from napari_sashiko.training.painting import Painting
from napari_sashiko.training.reconstruct import train_reconstructing
from napari_sashiko.training.reconstruct_settings import TrainReconstructSettings
from napari_sashiko.training.restore import train_restoring
from napari_sashiko.training.restore_settings import RestoreSettings
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.symmetries import symmetry_transforms
from napari_sashiko.training.train import train

__all__ = [
    "Choices",
    "EpochDone",
    "ExploreSettings",
    "Heritage",
    "LearningSettings",
    "MemberSaved",
    "PaintTaken",
    "Painting",
    "RestoreSettings",
    "TrainReconstructSettings",
    "TrainingDecided",
    "TrainingDone",
    "TrainingRested",
    "TrainingSettings",
    "TrainingStarted",
    "TrainingWaits",
    "disputed_by_others",
    "make_choices",
    "symmetry_transforms",
    "train",
    "train_exploring",
    "train_live",
    "train_reconstructing",
    "train_restoring",
]
