"""Who can be asked about a block: an open model, or a prediction on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction._finished import (
    chunk_of,
    finished_record,
    open_image,
    triple,
)
from napari_sashiko.prediction._inference import Inference, Pair
from napari_sashiko.prediction._prepare import check_classifies
from napari_sashiko.prediction._sizes import choose_sizes
from napari_sashiko.prediction._spread import even_size
from napari_sashiko.prediction.predictor import FloatArray, Predictor, Triple
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.prediction.store import reading_prediction
from napari_sashiko.volumes import Region, Slices, Volume, measure_normalisation

MOST_VOXELS = 1 << 20  # of a window: a second or so of one member on a CPU
BLOCK_VOXELS = 150_000
THICKEST = 16  # slices of a block
WIDEST = 192  # voxels of a block of a model, in plane
WIDEST_READ = 256  # of a block of a prediction, where chunks are larger


class Asked(Protocol):
    """Says what is where in a volume.

    Attributes
    ----------
    ids : tuple of int
        Class id of each channel.
    block : (int, int, int)
        Voxels that are best asked for at a time.
    """

    ids: tuple[int, ...]
    block: Triple

    def look(self, region: Region) -> Pair:
        """Mean and deviation of a region, (K, z, y, x) float32."""

    def image(self, region: Region) -> FloatArray:
        """Normalised voxels of a region, (C, z, y, x)."""


class AskedModel:
    """An open model: every region is predicted.

    Blocks are as thick as what a model sees above and below them, so that at most as
    much again is computed for nothing; models that look at slices get thin blocks, of
    which more fit into the same time.

    Parameters
    ----------
    predictor : Predictor
        The model.
    volume : Volume
        The image.
    tick : callable
        Called often; raises when the search was stopped.
    """

    def __init__(
        self, predictor: Predictor, volume: Volume, tick: Callable[[], None]
    ) -> None:
        check_classifies(predictor.card)
        # Small windows, whatever the device.
        shape = (volume.stacking.depth, *volume.shape[1:])
        _, border = choose_sizes(
            shape,
            predictor.halo,
            predictor.align,
            PredictionSettings(device="cpu"),
        )
        depth = min(THICKEST, max(1, 2 * border[0]), shape[0])
        border = (min(border[0], THICKEST // 2), border[1], border[2])
        edge = min(WIDEST, int((BLOCK_VOXELS / depth) ** 0.5))
        self.ids = tuple(int(each.id) for each in predictor.card.classes)
        self.block = even_size(shape, (depth, edge, edge))
        self._inference = Inference(predictor, volume, border, tick, MOST_VOXELS)

    def look(self, region: Region) -> Pair:
        """Predict a region."""
        return self._inference.predict(region)

    def image(self, region: Region) -> FloatArray:
        """Read a region as the model sees it."""
        return self._inference.image(region)


class AskedPrediction:
    """A finished prediction: its chunks are read, which is much faster.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    volume : Volume
        The image that was predicted.
    tick : callable
        Called before each region; raises when the search was stopped.
    seed : int
        Decides where grey values are sampled.

    Raises
    ------
    OutputError
        If it is not finished, damaged, or of another image.
    """

    def __init__(
        self, path: Path, volume: Volume, tick: Callable[[], None], seed: int
    ) -> None:
        record = finished_record(path)
        if triple(record["shape"]) != volume.shape or (
            record["input_digest"] != volume.digest()
        ):
            raise OutputError(
                f"{path} was made with another image than {volume.name!r}.",
                "Choose the image that was predicted.",
            )
        self._path, self._volume, self._tick = path, volume, tick
        self._normalisation = measure_normalisation(volume, seed)
        with reading_prediction(path):
            self._mean, self._std = (open_image(path, n) for n in ("mean", "std"))
            self.ids = tuple(int(each["id"]) for each in record["classes"])
            chunk = chunk_of(self._mean)
        shape = (volume.stacking.depth, *volume.shape[1:])
        z, y, x = (
            min(c, n, most)
            for c, n, most in zip(
                chunk, shape, (THICKEST, WIDEST_READ, WIDEST_READ), strict=True
            )
        )
        self.block = z, y, x

    def look(self, region: Region) -> Pair:
        """Read a region."""
        self._tick()
        with reading_prediction(self._path):
            return self._read(self._mean, region), self._read(self._std, region)

    def image(self, region: Region) -> FloatArray:
        """Read a region of the image, normalised by itself."""
        return self._normalisation.apply(self._volume.read(region))

    def _read(self, array: Slices, region: Region) -> FloatArray:
        return np.asarray(array[(slice(None), *region)], np.float32)
