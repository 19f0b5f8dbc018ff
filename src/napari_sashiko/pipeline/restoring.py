"""Learning to restore images: noise taken away, gaps filled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zarr

from napari_sashiko.pipeline.blocking import Report, run_to_end, without_limit
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.results import Prediction, open_prediction, progress
from napari_sashiko.pipeline.steps import check_model_folder, check_network, noted
from napari_sashiko.prediction import (
    RESTORED,
    Comparison,
    compare_image_steps,
    read_record,
    reading_prediction,
    record_of,
)
from napari_sashiko.runners import Event
from napari_sashiko.volumes import live_levels

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import RestoreSettings, TrainingDone


@dataclass(frozen=True)
class Restored:
    """An open restored image; arrays are read by blocks.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    mean, std : zarr arrays
        ``(C, [Z,] Y, X)`` float32 in grey values: over the networks.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    model_digest : str
        Which model made it.
    done, total : int
        Blocks that are finished, and all.
    coarser : mapping
        Coarser levels of ``mean`` and ``std`` by name; none while it is not finished,
        and of small images.
    """

    path: Path
    mean: Any
    std: Any
    voxel_size: tuple[float, float, float]
    unit: str
    model_digest: str
    done: int
    total: int
    coarser: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def open_restored(path: Path | str) -> Restored:
    """Open a restored image for reading.

    Raises
    ------
    OutputError
        If there is none, it is damaged, or it comes from a newer version.
    """
    path = Path(path)
    record = record_of(path, RESTORED)
    with reading_prediction(path):
        group = zarr.open_group(str(path), mode="r")
        done, total = progress(group)
        z, y, x = (float(size) for size in record["voxel_size"])
        return Restored(
            path=path,
            mean=group["mean/0"],
            std=group["std/0"],
            voxel_size=(z, y, x),
            unit=str(record["unit"]),
            model_digest=str(record["model_digest"]),
            done=done,
            total=total,
            coarser={name: live_levels(path / name)[1:] for name in ("mean", "std")},
        )


def open_result(path: Path | str) -> Prediction | Restored:
    """Open what `predict` wrote, by whichever kind of model.

    Raises
    ------
    OutputError
        If there is nothing, it is damaged, or it comes from a newer version.
    """
    record = read_record(Path(path))
    if record is not None and record["kind"] == RESTORED:
        return open_restored(path)
    return open_prediction(path)


def evaluate_restored(
    restored: Path | str, truth: Any, *, ignore: Any = None, only: Any = None
) -> Comparison:
    """Score a restored image against the image as it should be.

    Parameters
    ----------
    restored : path
        Folder NAME.zarr of a finished restored image.
    truth : path, array or Volume
        The image as it should be.
    ignore, only : path, array or Volume, optional
        Voxels that are not 0 in the one, or 0 in the other, do not count.

    Raises
    ------
    SashikoError
        If there is no finished restored image, or shapes do not fit.
    """
    masks = (None if each is None else open_image(each) for each in (ignore, only))
    left_out, chosen = masks
    steps = compare_image_steps(
        restored, open_image(truth), ignore=left_out, only=chosen
    )
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Comparison = done.value
            return found


def restore_settings(**values: Any) -> "RestoreSettings":
    """Check settings; who says how many epochs means no limit in minutes.

    Raises
    ------
    SettingsError
        If a name is unknown or a value is out of range.
    """
    from napari_sashiko.training import RestoreSettings  # noqa: PLC0415 - loads torch

    return RestoreSettings.checked(**without_limit(values))


def restore_steps(
    image: Any,
    settings: "RestoreSettings | None",
    out: Path | str,
    *,
    clean: Any = None,
) -> Iterator[Event]:
    """Train networks that restore images; closing keeps the best so far.

    Parameters
    ----------
    image : path, array or Volume
        The image as it is.
    settings : RestoreSettings or None
        None takes the defaults.
    out : path
        Model folder; made when missing.
    clean : path, array or Volume, optional
        The image as it should be, of the same shape. Without it, networks learn from
        the image alone.

    Yields
    ------
    Event
        `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`.

    Raises
    ------
    SashikoError
        If images, settings or output cannot be used.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        RestoreSettings,
        TrainingStarted,
        train_restoring,
    )

    chosen = settings or RestoreSettings.checked()
    target = Path(out)
    check_model_folder(target)
    check_network(chosen)
    volume = open_image(image)
    beside = None if clean is None else open_image(clean)
    yield from noted(
        train_restoring(volume, chosen, target, target=beside),
        TrainingStarted,
        partial(note_run, target, "restore", chosen, volume=volume),
    )


def restore(
    image: Any,
    out: Path | str,
    *,
    clean: Any = None,
    report: Report | None = None,
    **settings: Any,
) -> "TrainingDone":
    """Train networks that restore images and write the model folder.

    `predict` then makes the restored image of any volume.

    Parameters
    ----------
    image : path, array or Volume
        The image as it is, ``([Z,] Y, X)``.
    out : path
        Model folder, ``NAME.sashiko-model``.
    clean : path, array or Volume, optional
        The image as it should be, of the same shape.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `RestoreSettings`, e.g. ``minutes=2``, ``gaps=True``.

    Returns
    -------
    TrainingDone
        Path, held-out loss and seconds.

    Raises
    ------
    SashikoError
        If images, settings or output cannot be used.
    """
    from napari_sashiko.training import TrainingDone  # noqa: PLC0415 - loads torch

    chosen = restore_settings(**settings)
    return run_to_end(
        restore_steps(image, chosen, out, clean=clean), TrainingDone, report
    )
