"""Predict one picture part by part, held in memory: for folders of many of them."""

import contextlib
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import Cancelled
from napari_sashiko.patches import Cell
from napari_sashiko.prediction._inference import Inference
from napari_sashiko.prediction.plan import make_plan
from napari_sashiko.prediction.predictor import FloatArray, Predictor
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.runners import open_runner
from napari_sashiko.volumes import Volume

HEARTBEAT = 0.2


class PicturePart(NamedTuple):
    """A part of a picture.

    Attributes
    ----------
    box : (slice, slice)
        Rows and columns.
    mean : numpy.ndarray
        ``(K, y, x)`` float32 probabilities.
    classes : numpy.ndarray
        ``(y, x)`` uint8, ids of the most probable classes.
    """

    box: tuple[slice, slice]
    mean: FloatArray
    classes: npt.NDArray[np.uint8]


def predict_picture(
    predictor: Predictor, volume: Volume, device: str = "auto"
) -> Iterator[PicturePart | None]:
    """Predict a picture in the parts that the device has room for.

    Parameters
    ----------
    predictor : Predictor
        The open model.
    volume : Volume
        A single slice.
    device : str
        Where the predictor is: it says how large a part may be.

    Yields
    ------
    PicturePart or None
        None several times a second, so that it can be stopped.

    Raises
    ------
    VolumeError
        If the picture has another number of channels than the model.
    DeviceError
        If memory does not suffice.
    """
    stop = threading.Event()

    def tick() -> None:
        if stop.is_set():
            raise Cancelled("Stopped.")

    plan = make_plan(predictor, volume.shape, PredictionSettings(device=device))
    inference = Inference(predictor, volume, plan.border, tick)
    ids = np.array([each.id for each in predictor.card.classes], np.uint8)

    def look(cell: Cell) -> PicturePart:
        mean = inference.predict(cell.cell, cell.window)[0][:, 0]
        return PicturePart(cell.cell[1:], mean, ids[mean.argmax(axis=0)])

    with (
        open_runner("serial") as run,
        contextlib.closing(run(look, plan.cells(), heartbeat=HEARTBEAT)) as results,
    ):
        try:
            for item in results:
                yield None if item is None else item[1]
        finally:
            stop.set()
