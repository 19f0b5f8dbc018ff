"""Predict one picture part by part, held in memory: for folders of many of them."""

from collections.abc import Callable, Iterator
from threading import Semaphore
from typing import NamedTuple

from napari_sashiko.prediction._inference import Inference
from napari_sashiko.prediction.plan import make_plan
from napari_sashiko.prediction.predictor import FloatArray, Predictor
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.volumes import Volume


class PicturePart(NamedTuple):
    """A part of a picture.

    Attributes
    ----------
    box : (slice, slice)
        Rows and columns.
    mean : numpy.ndarray
        ``(K, y, x)`` float32: probabilities, or grey values of a restored picture.
    """

    box: tuple[slice, slice]
    mean: FloatArray


def predict_picture(
    predictor: Predictor,
    volume: Volume,
    voxels: int,
    tick: Callable[[], None],
    turns: Semaphore,
) -> Iterator[PicturePart]:
    """Predict a picture in the parts that the device has room for.

    Parameters
    ----------
    predictor : Predictor
        The open model.
    volume : Volume
        A single slice.
    voxels : int
        Of the largest window, see `voxels_for`.
    tick : callable
        Called often; raises when the work was stopped.
    turns : Semaphore
        Lets so many threads use the predictor at a time.

    Yields
    ------
    PicturePart

    Raises
    ------
    DeviceError
        If memory does not suffice.
    """
    plan = make_plan(predictor, volume.shape, PredictionSettings(), voxels=voxels)
    inference = Inference(predictor, volume, plan.border, tick, turns=turns)
    for cell in plan.cells():
        yield PicturePart(
            cell.cell[1:], inference.predict(cell.cell, cell.window)[0][:, 0]
        )
