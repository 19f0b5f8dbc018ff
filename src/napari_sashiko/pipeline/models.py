"""Models in use: opened once, asked for previews and for what a run will take."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import ModelError
from napari_sashiko.pipeline.kept_models import kept_models
from napari_sashiko.pipeline.project import newest_first
from napari_sashiko.pipeline.results import open_prediction
from napari_sashiko.prediction import Estimate, PredictionSettings
from napari_sashiko.prediction import estimate as estimate_run
from napari_sashiko.prediction import preview as preview_region
from napari_sashiko.volumes import Region, Volume

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import Ensemble

KEPT_OPEN = 2  # the model in use and the one that a training writes

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Previewed:
    """A region, segmented in memory.

    Attributes
    ----------
    mean, std : numpy.ndarray
        ``(K, z, y, x)`` float32.
    classes : numpy.ndarray
        ``(z, y, x)`` uint8, class ids.
    voices : tuple of str
        ``"forest"`` or ``"network"`` for each member that had a say: a folder that a
        training writes to may hold other members by now.
    """

    mean: Floats
    std: Floats
    classes: npt.NDArray[np.uint8]
    voices: tuple[str, ...]


def open_model(model: Path | str, device: str = "auto") -> "Ensemble":
    """Open a model folder on a device; the same object while nobody rewrites it.

    Raises
    ------
    ModelError
        If it is damaged, from a newer version, or not a model.
    DeviceError
        If there is no such device.
    """
    path = Path(model).absolute()
    try:
        stamp = (path / "model.json").stat().st_mtime_ns
    except OSError:
        stamp = 0  # loading says what is wrong
    ensemble: Ensemble = _opened(path, stamp, device)
    return ensemble


def preview(
    model: Path | str, volume: Volume, region: Region, *, device: str = "auto"
) -> Previewed:
    """Segment a region in memory, for example the slice in view.

    Raises
    ------
    ModelError
        If the model cannot be used.
    VolumeError
        If the image has another number of channels than the model.
    """
    ensemble = open_model(model, device)
    arrays = preview_region(ensemble, volume, region)
    return Previewed(*arrays, voices=ensemble.card.voices)


def estimate(
    model: Path | str,
    volume: Volume,
    settings: PredictionSettings | None = None,
    *,
    measure: bool = False,
) -> Estimate:
    """Blocks, memory, disk and, if measured, time that a prediction will take.

    Raises
    ------
    ModelError
        If the model cannot be used.
    PlanError
        If window, border and step make no sense together.
    """
    settings = settings or PredictionSettings()
    ensemble = open_model(model, settings.device)
    return estimate_run(ensemble, volume, settings, measure=measure)


def list_models(folder: Path | str) -> list[Path]:
    """Model folders in a folder, the newest first."""
    return newest_first(Path(folder), "*/model.json")


def model_of(prediction: Path | str, models: Sequence[Path]) -> Path:
    """Find the model that a prediction was made by.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr.
    models : sequence of path
        Model folders; reading them takes a while, and those of the prediction's name
        are read first, what was kept of it last.

    Raises
    ------
    OutputError
        If there is no prediction.
    ModelError
        If none of the models made it.
    """
    from napari_sashiko.checkpoints import model_digest  # noqa: PLC0415 - loads torch

    found = open_prediction(prediction)
    likely = sorted(models, key=lambda each: each.stem != found.path.stem)
    for model in (*likely, *kept_models(found.path)):
        try:
            if model_digest(model) == found.model_digest:
                return model
        except ModelError:
            continue  # damaged: it may be another one
    raise ModelError(
        f"The model that made {found.path.name} is not there, or was trained again.",
        "Open it, or segment the volume with the model that you have.",
    )


@lru_cache(maxsize=KEPT_OPEN)
def _opened(path: Path, stamp: int, device: str) -> Any:  # noqa: ARG001 - in the key
    from napari_sashiko.checkpoints import load_ensemble  # noqa: PLC0415 - loads torch
    from napari_sashiko.runners import choose_device  # noqa: PLC0415

    return load_ensemble(path, choose_device(device))
