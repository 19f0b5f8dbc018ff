"""Score a prediction against the truth, by blocks."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.metrics import (
    Averages,
    Calibration,
    CalibrationScores,
    ConfusionMatrix,
)
from napari_sashiko.prediction._finished import (
    chunk_blocks,
    chunk_of,
    finished_record,
    open_image,
    triple,
)
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.store import reading_prediction
from napari_sashiko.runners import Event, Progress
from napari_sashiko.volumes import (
    Volume,
    as_volume,
    beyond,
    extents_in,
    stacking_of,
)


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, in [0, 1]; ``support`` counts its true voxels."""

    id: int
    name: str
    support: int
    f1: float
    iou: float
    precision: float
    recall: float
    dice: float


@dataclass(frozen=True)
class Evaluation:
    """Scores of a prediction over all voxels that count.

    Parameters
    ----------
    classes : tuple of ClassScores
        In the order of the probability channels.
    voxels : int
        Voxels that were scored.
    accuracy, macro_f1, mean_iou : float
        Macro F1 and mean IoU are means over classes that occur in the truth.
    macro, micro : Averages
        Precision, recall, F1, IoU and Dice of all classes in one number: the mean over
        classes that occur in the truth, and that of all their voxels together.
    expected_calibration_error, brier : float
        Top-label calibration in 15 bins, and the squared error summed over classes.
    reliability : CalibrationScores
        The curve behind the calibration error.
    confusion : dict
        ``classes``, the ids in the order of the channels, and ``counts``, voxels by
        true class (rows) and predicted class.
    """

    classes: tuple[ClassScores, ...]
    voxels: int
    accuracy: float
    macro_f1: float
    mean_iou: float
    macro: Averages
    micro: Averages
    expected_calibration_error: float
    brier: float
    reliability: CalibrationScores
    confusion: dict[str, list[Any]]

    def record(self) -> dict[str, Any]:
        """Write the scores as JSON."""
        return asdict(self) | {"reliability": self.reliability.record()}


def evaluate(prediction: Path | str, truth: Any, ignore: Any = None) -> Evaluation:
    """Compare a prediction with the truth; see `evaluate_steps`."""
    steps = evaluate_steps(prediction, truth, ignore)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            scores: Evaluation = done.value
            return scores


def evaluate_steps(
    prediction: Path | str, truth: Any, ignore: Any = None
) -> Generator[Event, None, Evaluation]:
    """Compare a prediction with the truth, block by block.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr.
    truth : Volume or array
        Class ids, (Z, Y, X) or (Y, X); 0 is not scored, nor what lies beyond the edge
        of a picture that is smaller than others of its folder.
    ignore : Volume or array, optional
        Voxels that are not 0 here are not scored.

    Yields
    ------
    Progress

    Returns
    -------
    Evaluation

    Raises
    ------
    OutputError
        If there is no prediction, or it is not finished.
    LabelError
        If shapes differ, the truth has a class that the model does not know, or no
        voxel is left to be scored.
    """
    path = Path(prediction)
    record = finished_record(path)
    shape = triple(record["shape"])
    true, left_out = _same_shape(truth, shape, "truth"), None
    if ignore is not None:
        left_out = _same_shape(ignore, shape, "ignored voxels")
    ids = [int(each["id"]) for each in record["classes"]]
    confusion, calibration = ConfusionMatrix(ids), Calibration(ids)
    with reading_prediction(path):
        mean = open_image(path, "mean")
    frame, extents = stacking_of(record).frame, extents_in(record)
    for region in chunk_blocks(shape, chunk_of(mean), frame):
        yield Progress(region[0].stop, shape[0], "comparing with the truth")
        wanted = true.read(region)[0]
        if left_out is not None:
            wanted[left_out.read(region)[0] != 0] = 0
        if extents is not None:
            wanted[beyond(extents, region)] = 0
        scored = wanted != 0
        if not scored.any():
            continue
        with reading_prediction(path):
            found = np.asarray(mean[(slice(None), *region)], np.float32)[:, scored]
        confusion.update(found, wanted[scored])
        calibration.update(found, wanted[scored])
    scores = _summary(record, confusion, calibration)
    if not scores.voxels:
        raise LabelError(
            "There is nothing to score: the truth is 0 everywhere"
            f"{'' if ignore is None else ', or ignored where it is not'}.",
            "Choose a truth of class numbers from 1 on; 0 is not scored.",
        )
    return scores


def _same_shape(array: Any, shape: Triple, what: str) -> Volume:
    volume = array if isinstance(array, Volume) else as_volume(array, name=what)
    if volume.shape != shape or volume.channels != 1:
        raise LabelError(
            f"The {what} have shape {volume.shape}, the prediction has {shape}.",
            "Choose the truth of the predicted image.",
        )
    if volume.dtype.kind not in "biu":
        raise LabelError(
            f"The {what} are of type {volume.dtype}; class ids are integers."
        )
    return volume


def _summary(
    record: dict[str, Any], confusion: ConfusionMatrix, calibration: Calibration
) -> Evaluation:
    scores, trust = confusion.compute(), calibration.compute()
    columns = zip(
        record["classes"],
        scores.support,
        scores.f1,
        scores.iou,
        scores.precision,
        scores.recall,
        scores.dice,
        strict=True,
    )
    return Evaluation(
        classes=tuple(
            ClassScores(int(each["id"]), str(each["name"]), *numbers)
            for each, *numbers in columns
        ),
        voxels=sum(scores.support),
        accuracy=scores.accuracy,
        macro_f1=scores.macro_f1,
        mean_iou=scores.mean_iou,
        macro=scores.macro,
        micro=scores.micro,
        expected_calibration_error=trust.expected_calibration_error,
        brier=trust.brier,
        reliability=trust,
        confusion=confusion.record(),
    )
