"""Segment or restore a picture and write it; the same in threads and on a cluster."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.errors import ModelError, OutputError, VolumeError
from napari_sashiko.pipeline.folder_results import (
    FolderResults,
    png_of,
    tiff_of,
    write_result,
)
from napari_sashiko.pipeline.folder_stamp import stamp_of
from napari_sashiko.pipeline.models import open_model
from napari_sashiko.prediction import PicturePart, Predictor, predict_picture
from napari_sashiko.runners import check_not_cancelled, torch_threads
from napari_sashiko.volumes import (
    Volume,
    as_channels,
    check_writable,
    read_picture,
    remove,
    temporary_beside,
)

KEPT_OPEN = 2

Parts = Iterator[PicturePart]


@dataclass
class PictureWorker:
    """Everything that one process needs, opened once.

    Parameters
    ----------
    predictor : Predictor
        Patch in, mean and deviation out.
    results : FolderResults
        Where results go, and what their pixels mean.
    probabilities : bool
        Whether those are written, too.
    voxels : int
        Of the largest window.
    at_once : int
        Windows that the device bears at a time.
    tick : callable
        Raises when the work was stopped.
    """

    predictor: Predictor
    results: FolderResults
    probabilities: bool
    voxels: int
    at_once: int
    tick: Callable[[], None]
    _turns: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = threading.Semaphore(self.at_once)

    def __call__(self, file: Path) -> str:
        """Make the result of a picture; say why it has none, else nothing."""
        try:
            self._make(file)
        except VolumeError as error:
            return str(error)
        return ""

    def _make(self, file: Path) -> None:
        results = self.results
        stamp = stamp_of(file, results.digest)
        volume = _volume(file, self.predictor.card)
        stamp.check_unchanged(file)
        parts = predict_picture(
            self.predictor, volume, self.voxels, self.tick, self._turns
        )
        make = self._restored if results.restores else self._segmented
        made = make(file, volume.shape[1:], parts, stamp.text())
        self.tick()  # a stopped run must not write any more
        write_result(results.picture(file), made)  # last: now there is a result

    def _segmented(
        self, file: Path, shape: tuple[int, ...], parts: Parts, stamp: str
    ) -> bytes:
        """Make the class picture, and write probabilities if they are wanted."""
        results = self.results
        ids = np.array([each.id for each in results.classes], np.uint8)
        classes = np.zeros(shape, np.uint8)
        target = results.probabilities(file)
        if not self.probabilities:
            remove(target)  # of a picture that was there before
        wanted = target if self.probabilities else None
        with _pages(wanted, (len(ids), *shape)) as pages:
            for part in parts:
                classes[part.box] = ids[part.mean.argmax(axis=0)]
                if pages is not None:
                    pages[(slice(None), *part.box)] = part.mean
            self.tick()  # a stopped run must not write any more
            del pages  # some systems move no file that is open
        return png_of(results.values.picture_of(classes), stamp)

    def _restored(
        self, _file: Path, shape: tuple[int, ...], parts: Parts, stamp: str
    ) -> bytes:
        """Make the picture as it should be."""
        picture = np.zeros((self.predictor.card.outputs, *shape), np.float32)
        for part in parts:
            picture[(slice(None), *part.box)] = part.mean
        return tiff_of(picture, stamp)


@dataclass(frozen=True)
class RemotePictureWorker:
    """What travels to another process: paths and numbers, no handles.

    Parameters
    ----------
    model : Path
        Folder of the model, of the digest that `results` names.
    results, probabilities, voxels, at_once
        As of `PictureWorker`.
    device : str
        Where the networks run.
    threads : int
        Of one operation: as many as elsewhere, for the same rounding.
    """

    model: Path
    results: FolderResults
    probabilities: bool
    voxels: int
    at_once: int
    device: str
    threads: int

    def __call__(self, file: Path) -> str:
        """Make the result of a picture in this process, as `PictureWorker` does."""
        with torch_threads(self.threads):
            return _opened(self)(file)


@lru_cache(maxsize=KEPT_OPEN)
def _opened(remote: RemotePictureWorker) -> PictureWorker:
    # Cached by value: a cluster unpickles the function for every picture.
    predictor = open_model(remote.model, remote.device)
    if predictor.digest != remote.results.digest:
        raise ModelError(
            f"{remote.model} was replaced since this run began.",
            "Start it again, with another folder for the results or overwrite.",
        )
    return PictureWorker(
        predictor,
        remote.results,
        remote.probabilities,
        remote.voxels,
        remote.at_once,
        check_not_cancelled,
    )


def _volume(file: Path, card: Any) -> Volume:
    """A picture of the kind that the model has learned from."""
    picture = as_channels(read_picture(file), card.channels, file.name)
    known = card.training.get("image", {}).get("dtype")
    alike = card.normalisation.levelled or known is None
    if not alike and picture.dtype != np.dtype(known):
        raise VolumeError(
            f"{file.name} is of type {picture.dtype}, the model learned from {known}.",
            "Bring it to the same grey scale.",
        )
    return Volume(picture, axes="yx" if picture.ndim == 2 else "yxc", name=file.stem)


@contextlib.contextmanager
def _pages(
    target: Path | None, shape: tuple[int, ...]
) -> Iterator[NDArray[np.float32] | None]:
    """Give pages ``(K, Y, X)`` on disk that become a TIFF when all went well."""
    if target is None:
        yield None
        return
    part = temporary_beside(target)
    try:
        check_writable(target, 4 * int(np.prod(shape)))
        try:
            pages: NDArray[np.float32] = tifffile.memmap(
                part,
                shape=shape,
                dtype=np.float32,
                photometric="minisblack",
                metadata={"axes": "CYX"},
            )
            yield pages
            del pages
            part.replace(target)
        except OSError as error:
            raise OutputError(
                f"{target} cannot be written: {error.strerror or error}.",
                "Free some space or choose another folder.",
            ) from error
    finally:
        remove(part)
