"""Predict one region into memory: the slice in view, while a model learns."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from napari_sashiko.prediction._inference import Inference
from napari_sashiko.prediction._prepare import check_classifies, check_volume
from napari_sashiko.prediction._sizes import choose_sizes
from napari_sashiko.prediction.predictor import FloatArray, Predictor, Triple
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.volumes import Region, Volume

MOST_VOXELS = 1 << 20  # a second or so of one member on a CPU
THIN = 8  # voxels; a single slice is not worth more context than this


def preview(
    predictor: Predictor,
    volume: Volume,
    region: Region,
    *,
    tick: Callable[[], None] = lambda: None,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.uint8]]:
    """Mean, deviation and classes of a region, with its surroundings as context.

    Parameters
    ----------
    predictor : Predictor
        The open model.
    volume : Volume
        The image.
    region : Region
        What is wanted, for example one slice. The result is held in memory.
    tick : callable
        Called between members and pieces; raises to stop.

    Returns
    -------
    mean, std : (K, z, y, x) float32
    classes : (z, y, x) uint8
        Class ids of the most probable class.

    Raises
    ------
    ModelError
        If the model tells no classes.
    VolumeError
        If the image has another number of channels than the model.
    """
    check_classifies(predictor.card)
    for _ in check_volume(predictor.card, volume):
        pass  # said once, when the volume is predicted
    settings = PredictionSettings(device="cpu")  # small windows on any device
    shape = (volume.stacking.depth, *volume.shape[1:])
    _, border = choose_sizes(shape, predictor.halo, predictor.align, settings)
    border = _thin(border, region)
    inference = Inference(predictor, volume, border, tick, MOST_VOXELS)
    mean, std = inference.predict(region)
    ids = np.array([each.id for each in predictor.card.classes], np.uint8)
    return mean, std, ids[np.argmax(mean, axis=0)]


def _thin(border: Triple, region: Region) -> Triple:
    z, y, x = (
        min(b, THIN) if part.stop - part.start < THIN else b
        for b, part in zip(border, region, strict=True)
    )
    return z, y, x
