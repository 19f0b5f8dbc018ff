"""The step that applies a model to every picture of a folder."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.errors import OutputError, VolumeError
from napari_sashiko.labels import LabelValues, value_of
from napari_sashiko.pipeline.folder_pairs import left_out
from napari_sashiko.pipeline.folder_results import (
    FolderResults,
    begin_results,
    png_of,
    write_result,
)
from napari_sashiko.pipeline.models import open_model
from napari_sashiko.prediction import Predictor, check_classifies, predict_picture
from napari_sashiko.runners import Event, Message, Tick
from napari_sashiko.volumes import (
    Volume,
    as_channels,
    check_writable,
    find_pictures,
    read_picture,
    remove,
    temporary_beside,
)


class ApplySettings(Settings):
    """What is written for each picture of a folder, and on what it is predicted."""

    probabilities: bool = Field(
        default=False,
        description="Also write the probability of each class, as pages of a TIFF.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:0 or mps.")
    overwrite: bool = Field(
        default=False,
        description="Start anew where there are results, also those of another model.",
    )


@dataclass(frozen=True, slots=True)
class PictureDone(Event):
    """``done`` of ``total`` pictures were looked at; ``name`` was the last one."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PicturesDone(Event):
    """All pictures were looked at.

    Attributes
    ----------
    path : str
        Folder of the results.
    written, kept : int
        Results that were made now, and that were there already.
    problems : tuple of (str, str)
        Pictures without a result, and why.
    seconds : float
        It took so long.
    """

    path: str
    written: int
    kept: int
    problems: tuple[tuple[str, str], ...]
    seconds: float


def apply_steps(
    model: Path | str,
    folder: Path | str,
    out: Path | str,
    settings: ApplySettings | None = None,
) -> Iterator[Event]:
    """Segment every picture of a folder; the same call goes on where it stopped.

    One picture is in memory at a time. Class pictures have the grey values or colours
    of the labels that the model learned from, else class ids.

    Parameters
    ----------
    model : path
        Model folder.
    folder : path
        Pictures of any sizes, or a folder with ``images`` in it.
    out : path
        Folder for the results, ``NAME.png`` for each picture.
    settings : ApplySettings, optional
        Probabilities, device.

    Yields
    ------
    Event
        `PictureDone`, `PicturesDone`, `Message`, `Tick`.

    Raises
    ------
    SashikoError
        If model, folder, settings or output cannot be used. A picture that cannot be
        read is left out and told of.
    """
    start = time.perf_counter()
    chosen = settings or ApplySettings()
    files = find_pictures(Path(folder))
    predictor = open_model(Path(model), chosen.device)
    results = _results(Path(model), predictor, files[0].parent, Path(out))
    begin_results(results, files, overwrite=chosen.overwrite)
    if predictor.halo[0]:
        yield Message(
            "The model looks at neighbouring slices. Pictures have none: their own "
            "mirror image stands in for them.",
            "warning",
        )
    problems: list[tuple[str, str]] = []
    names: set[str] = set()
    written = 0
    for number, file in enumerate(files, start=1):
        try:
            _check_name(file, names)
            if _is_there(results, file, chosen):
                yield PictureDone(file.name, number, len(files))
                continue
            yield from _one(predictor, results, file, chosen)
            written += 1
        except VolumeError as error:
            problems.append((file.name, str(error)))
            yield Message(left_out(file, error), "warning")
        yield PictureDone(file.name, number, len(files))
    results.write(problems)
    kept = len(files) - written - len(problems)
    seconds = time.perf_counter() - start
    yield PicturesDone(str(results.path), written, kept, tuple(problems), seconds)


def _results(
    model: Path, predictor: Predictor, images: Path, out: Path
) -> FolderResults:
    from napari_sashiko.checkpoints import model_digest  # noqa: PLC0415 - loads torch

    card = predictor.card
    check_classifies(card)
    return FolderResults(
        out,
        card.name,
        model_digest(model),
        images.absolute(),
        card.classes,
        _values(card),
    )


def _values(card: Any) -> LabelValues:
    """Values of the labels that a model learned from; class ids where it had none."""
    ids = tuple(each.id for each in card.classes)
    origin = card.training.get("origin", {})
    texts = origin.get("values", {})
    values = tuple(value_of(texts.get(str(number), str(number))) for number in ids)
    return LabelValues(values, ids, value_of(origin.get("unlabelled", "0")))


def _check_name(file: Path, names: set[str]) -> None:
    """Refuse a second picture whose result would have the same name."""
    if file.stem in names:
        raise VolumeError(
            f"{file.name} has the name of another picture, but for its ending.",
            "Rename one of them.",
        )
    names.add(file.stem)


def _is_there(results: FolderResults, file: Path, settings: ApplySettings) -> bool:
    # Written last.
    if not results.picture(file).exists():
        return False
    return not settings.probabilities or results.probabilities(file).exists()


def _one(
    predictor: Predictor, results: FolderResults, file: Path, settings: ApplySettings
) -> Iterator[Event]:
    """Segment a picture and write what was found."""
    volume = _volume(file, predictor.card)
    classes = np.zeros(volume.shape[1:], np.uint8)
    target = results.probabilities(file) if settings.probabilities else None
    with _pages(target, (len(results.classes), *classes.shape)) as pages:
        for part in predict_picture(predictor, volume, settings.device):
            if part is None:
                yield Tick()
                continue
            classes[part.box] = part.classes
            if pages is not None:
                pages[(slice(None), *part.box)] = part.mean
        del pages  # some systems move no file that is open
    write_result(results.picture(file), png_of(results.values.picture_of(classes)))


def _volume(file: Path, card: Any) -> Volume:
    """A picture of the kind that the model has learned from."""
    picture = as_channels(read_picture(file), card.channels, file.name)
    known = card.training.get("image", {}).get("dtype")
    if known is not None and picture.dtype != np.dtype(known):
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
