"""Tomographic reconstruction: sinograms to a volume, and networks that learn it."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.pipeline.blocking import Report, run_to_end, without_limit
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.levels import with_levels
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.steps import check_model_folder, noted
from napari_sashiko.prediction import (
    PredictionDone,
    PredictionStarted,
    ReconstructSettings,
)
from napari_sashiko.prediction import reconstruct as reconstruct_volume
from napari_sashiko.runners import Event, RunnerSettings

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import TrainingDone, TrainReconstructSettings


def read_angles(path: Path | str) -> tuple[float, ...]:
    """Read angles in degrees: ``.npy``, or text with numbers on lines or by commas.

    Raises
    ------
    VolumeError
        If it cannot be read, or holds anything else than one list of numbers.
    """
    path = Path(path)
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            words = path.read_text(encoding="utf-8").replace(",", " ").split()
            found = np.array([float(word) for word in words])
        found = found.astype(float)
    except (OSError, ValueError, EOFError) as error:
        raise VolumeError(
            f"The angles {path} cannot be read: {str(error).rstrip('.')}.",
            "Give a text file or .npy with one number in degrees for each angle.",
        ) from error
    if found.ndim != 1 or not found.size:
        raise VolumeError(
            f"The angles {path} have shape {found.shape}.",
            "Give one number in degrees for each angle.",
        )
    return tuple(float(angle) for angle in found)


def reconstruct_steps(
    sinograms: Any,
    out: Path | str,
    settings: ReconstructSettings | None = None,
    *,
    model: Path | str | None = None,
    angles: Any = None,
) -> Iterator[Event]:
    """Write a volume of sinograms; closing keeps what is finished.

    Parameters
    ----------
    sinograms : path, array or Volume
        ``(slice, angle, detector)``, or as ``settings.order`` says.
    out : path
        Folder NAME.zarr.
    settings : ReconstructSettings, optional
        None takes the defaults.
    model : path, optional
        Model folder; without, there is filtered back-projection alone.
    angles : path or sequence of float, optional
        Degrees; evenly over half a turn if left out.

    Yields
    ------
    Event
        `PredictionStarted`, `CellDone`, `Progress`, `PredictionDone`, `Message`.

    Raises
    ------
    SashikoError
        If sinograms, model, settings or output cannot be used.
    """
    volume, chosen = open_image(sinograms), settings or ReconstructSettings()
    steps = noted(
        reconstruct_volume(volume, out, chosen, model=model, angles=_angles(angles)),
        PredictionStarted,
        partial(note_run, Path(out), "reconstruct", chosen, volume=volume),
    )
    yield from with_levels(steps, PredictionDone, Path(out), RunnerSettings())


def reconstruct(
    sinograms: Any,
    out: Path | str,
    *,
    model: Path | str | None = None,
    angles: Any = None,
    report: Report | None = None,
    **settings: Any,
) -> PredictionDone:
    """Reconstruct a volume from its sinograms; resumes where it stopped.

    Parameters
    ----------
    sinograms : path, array or Volume
        ``(slice, angle, detector)``, or ``(angle, slice, detector)`` with
        ``order="projections"``.
    out : path
        Folder NAME.zarr: ``fbp`` by filtered back-projection; ``mean`` and ``std``
        by a model.
    model : path, optional
        A model folder that `train_reconstruct` wrote.
    angles : path or sequence of float, optional
        Degrees; evenly over half a turn if left out.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `ReconstructSettings`, e.g. ``filter="hann"``.

    Raises
    ------
    SashikoError
        If sinograms, model, settings or output cannot be used.
    """
    chosen = ReconstructSettings.checked(**settings)
    steps = reconstruct_steps(sinograms, out, chosen, model=model, angles=angles)
    return run_to_end(steps, PredictionDone, report)


def train_reconstruct_settings(**values: Any) -> "TrainReconstructSettings":
    """Check settings; who says how many epochs means no limit in minutes.

    Raises
    ------
    SettingsError
        If a name is unknown or a value is out of range.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        TrainReconstructSettings,
    )

    return TrainReconstructSettings.checked(**without_limit(values))


def train_reconstruct_steps(
    sinograms: Any,
    images: Any,
    settings: "TrainReconstructSettings | None",
    out: Path | str,
    *,
    angles: Any = None,
) -> Iterator[Event]:
    """Train networks that make slices of sinograms; closing keeps the best so far.

    Parameters
    ----------
    sinograms : path, array or Volume
        ``(slice, angle, detector)``, or as ``settings.order`` says.
    images : path, array or Volume
        ``(slice, y, x)``: what is to be made of each sinogram.
    settings : TrainReconstructSettings or None
        None takes the defaults.
    out : path
        Model folder; made when missing.
    angles : path or sequence of float, optional
        Degrees; evenly over half a turn if left out.

    Yields
    ------
    Event
        `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`.

    Raises
    ------
    SashikoError
        If sinograms, images, settings or output cannot be used.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        TrainingStarted,
        train_reconstructing,
    )

    chosen = settings or train_reconstruct_settings()
    target = Path(out)
    check_model_folder(target)
    volume = open_image(sinograms)
    yield from noted(
        train_reconstructing(
            volume, open_image(images), chosen, target, angles=_angles(angles)
        ),
        TrainingStarted,
        partial(note_run, target, "train_reconstruct", chosen, volume=volume),
    )


def train_reconstruct(
    sinograms: Any,
    images: Any,
    out: Path | str,
    *,
    angles: Any = None,
    report: Report | None = None,
    **settings: Any,
) -> "TrainingDone":
    """Train networks that make slices of sinograms and write the model folder.

    Parameters
    ----------
    sinograms : path, array or Volume
        ``(slice, angle, detector)``, or ``(angle, slice, detector)`` with
        ``order="projections"``.
    images : path, array or Volume
        ``(slice, y, x)``: the square slice of each sinogram.
    out : path
        Model folder, ``NAME.sashiko-model``.
    angles : path or sequence of float, optional
        Degrees; evenly over half a turn if left out.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `TrainReconstructSettings`, e.g. ``network="automap"``.

    Returns
    -------
    TrainingDone
        Path, held-out loss and seconds.

    Raises
    ------
    SashikoError
        If sinograms, images, settings or output cannot be used, or networks do not fit
        into memory.
    """
    from napari_sashiko.training import TrainingDone  # noqa: PLC0415 - loads torch

    chosen = train_reconstruct_settings(**settings)
    steps = train_reconstruct_steps(sinograms, images, chosen, out, angles=angles)
    return run_to_end(steps, TrainingDone, report)


def _angles(angles: Any) -> Sequence[float] | None:
    if isinstance(angles, str | Path):
        return read_angles(angles)
    return None if angles is None else tuple(float(angle) for angle in angles)
