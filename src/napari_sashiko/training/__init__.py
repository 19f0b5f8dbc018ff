"""Training: from sparse labels to a model folder, as a generator of events."""

from napari_sashiko.training.choices import Choices, make_choices
from napari_sashiko.training.events import (
    EpochDone,
    MemberSaved,
    TrainingDone,
    TrainingStarted,
)
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.training.train import train

__all__ = [
    "Choices",
    "EpochDone",
    "MemberSaved",
    "TrainingDone",
    "TrainingSettings",
    "TrainingStarted",
    "make_choices",
    "train",
]
