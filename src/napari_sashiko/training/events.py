"""What training says while it runs."""

import math
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.runners import Event, Message


@dataclass(frozen=True, slots=True)
class TrainingStarted(Event):
    """Choices are made; ``text`` says which and why, a sentence a line."""

    text: str
    members: int
    parameters: int


@dataclass(frozen=True, slots=True)
class TrainingDecided(Message):
    """A choice was made on the way; ``summary`` says all of them, a sentence a line."""

    summary: str = ""


@dataclass(frozen=True, slots=True)
class EpochDone(Event):
    """A network has learned for another while; scores are on what was held out.

    Attributes
    ----------
    member, epoch, epochs : int
        Which network (from 0), how many epochs of how many are done.
    loss, valid_loss : float
        Mean loss over training patches and over what was held out.
    fraction : float
        Share of this member's training that is done, in [0, 1].
    seconds_left : float
        For the whole training.
    macro_f1 : float
        On the held-out strokes; NaN where no classes are told.
    """

    member: int
    epoch: int
    epochs: int
    loss: float
    valid_loss: float
    fraction: float
    seconds_left: float
    macro_f1: float = math.nan


@dataclass(frozen=True, slots=True)
class MemberSaved(Event):
    """The model folder holds one more member, or a better one, and can be used."""

    member: int
    path: Path
    what: str


@dataclass(frozen=True, slots=True)
class TrainingDone(Event):
    """The model is complete; metrics are means on held-out strokes.

    Attributes
    ----------
    path : Path
        The model folder.
    metrics : tuple of (name, value)
        ``macro_f1``, ``mean_iou``, ``accuracy``, ``calibration_error``, ``brier``,
        ``f1 CLASS``, ``iou CLASS``; ``macro_f1_std`` and ``f1_std CLASS`` are standard
        deviations over the members, each judged on what it held out.
    seconds : float
        Duration of the training.
    fairness : str
        How far from learned paint the metrics were taken, in words.
    """

    path: Path
    metrics: tuple[tuple[str, float], ...]
    seconds: float
    fairness: str = ""


@dataclass(frozen=True, slots=True)
class TrainingRested(Event):
    """All paint is learned, more lets training go on; fields as `TrainingDone`."""

    path: Path
    metrics: tuple[tuple[str, float], ...]
    seconds: float
    fairness: str = ""


@dataclass(frozen=True, slots=True)
class PaintTaken(Event):
    """New paint is learned from now on; ``voxels`` is how much there is in all."""

    voxels: int


@dataclass(frozen=True, slots=True)
class TrainingWaits(Event):
    """There is too little paint to learn from; ``text`` says what is missing."""

    text: str
