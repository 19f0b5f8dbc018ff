"""Models kept as they were when they segmented: a training goes on with its own.

What a segmentation was made by is asked for later: for error bars, in a report, to go
on where it stopped. While training stays on, its folder holds another model after the
next stroke.
"""

import contextlib
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

from napari_sashiko.errors import SashikoError
from napari_sashiko.prediction import PredictionStarted, read_record
from napari_sashiko.runners import Event

ROOM = ".models"  # beside predictions; models there are on no list


def kept_models(prediction: Path) -> list[Path]:
    """The copy of the model that made a prediction; none where nobody kept it."""
    wanted = _digest(prediction)
    kept = _room(prediction).glob("*/*.sashiko-model")
    return [model for model in kept if wanted.startswith(model.parent.name)]


def kept_for(model: Path, prediction: Path) -> Path | None:
    """The model that made a prediction, as it was, if `model` has learned since.

    Returns
    -------
    Path or None
        The copy, with which the prediction can be gone on with; None where `model` did
        not make it under this name.
    """
    for kept in kept_models(prediction):
        if kept.name == model.name:
            return kept
    return None


def keep_model(model: Path, prediction: Path) -> Path:
    """Keep a model as it is now, to segment with.

    Parameters
    ----------
    model : Path
        Model folder.
    prediction : Path
        Folder NAME.zarr that is going to be made, or gone on with.

    Returns
    -------
    Path
        The copy, to segment with.

    Raises
    ------
    SashikoError
        If there is no model, it is damaged, or the copy cannot be written.
    """
    from napari_sashiko.checkpoints import copy_model  # noqa: PLC0415 - loads torch

    return copy_model(model, _room(prediction))


def keeping(steps: Iterator[Event], prediction: Path) -> Generator[Event, None, None]:
    """Pass the events of a segmentation on; drop copies that no prediction needs.

    Not before it starts: until then what is there may be of another model, and stay.

    Parameters
    ----------
    steps : generator of Event
        Those of a prediction by what `keep_model` gave; closed with this one.
    prediction : Path
        Folder NAME.zarr.
    """
    try:
        with contextlib.closing(steps):  # type: ignore[type-var]
            for event in steps:
                if isinstance(event, PredictionStarted):
                    _sweep(prediction)
                yield event
    finally:
        _sweep(prediction)  # also where it never started


def _sweep(prediction: Path) -> None:
    others = prediction.parent.glob("*.zarr")
    try:
        needed = [_digest(each) for each in others]
    except SashikoError:  # a damaged one: nobody knows what it needs
        return
    for place in _room(prediction).glob("*"):
        if not any(digest.startswith(place.name) for digest in needed):
            shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):  # not empty, or never made
        _room(prediction).rmdir()


def _room(prediction: Path) -> Path:
    return prediction.parent / ROOM


def _digest(prediction: Path) -> str:
    record = read_record(prediction)
    return "" if record is None else str(record.get("model_digest", ""))
