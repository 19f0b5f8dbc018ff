"""Learning to restore images: noise taken away, gaps filled."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_sashiko.pipeline.blocking import Report, run_to_end, without_limit
from napari_sashiko.pipeline.folder_images import images_to_learn
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.scoring import ResultScored, score_image_steps
from napari_sashiko.pipeline.steps import check_model_folder, noted
from napari_sashiko.prediction import Comparison
from napari_sashiko.runners import Event
from napari_sashiko.volumes import Volume

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import RestoreSettings, TrainingDone


def evaluate_image(
    made: Path | str,
    truth: Any,
    *,
    ignore: Any = None,
    only: Any = None,
    part: str | None = None,
) -> Comparison:
    """Score a restored image, or a reconstruction, against the image as it should be.

    Parameters
    ----------
    made : path
        Folder NAME.zarr of a finished restored image or reconstruction.
    truth : path, array or Volume
        The image as it should be.
    ignore, only : path, array or Volume, optional
        Voxels that are not 0 in the one, or 0 in the other, do not count.
    part : {"mean", "fbp"}, optional
        Of a reconstruction: by networks, or by filtered back-projection. When left out,
        the former if there is one.

    Raises
    ------
    SashikoError
        If there is no such finished image, or shapes do not fit.
    """
    steps = score_image_steps(made, truth, ignore=ignore, only=only, part=part)
    return cast("Comparison", run_to_end(steps, ResultScored, None).scores)


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
        The image as it is; or a folder of pictures, of which ``train`` is learned from
        and ``validate`` is there to judge by.
    settings : RestoreSettings or None
        None takes the defaults.
    out : path
        Model folder; made when missing.
    clean : path, array or Volume, optional
        The image as it should be, of the same shape; of a folder another one, with
        pictures of the same names. Without it, networks learn from the image alone.

    Yields
    ------
    Event
        `Message`, `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`,
        `TrainingDone`.

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
    _check_restorer(chosen)
    found = yield from images_to_learn(image, clean)
    # A project goes on knowing the image that it has, not a part of its pictures.
    known = image if isinstance(image, Volume) else found.volume
    yield from noted(
        train_restoring(
            found.volume, chosen, target, target=found.clean, judged=found.judged
        ),
        TrainingStarted,
        partial(note_run, target, "restore", chosen, volume=known),
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
        The image as it is, ``([Z,] Y, X)``; or a folder of pictures, with ``train`` and
        perhaps ``validate``, or with ``images``.
    out : path
        Model folder, ``NAME.sashiko-model``.
    clean : path, array or Volume, optional
        The image as it should be, of the same shape; of a folder another one, with
        pictures of the same names.
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


def _check_restorer(settings: "RestoreSettings") -> None:
    """Refuse an impossible network before anything is read."""
    from napari_sashiko.networks import build_restorer  # noqa: PLC0415 - loads torch

    if settings.network != "auto":
        build_restorer(
            settings.network, 1, 1, dims=2, seed=0, **settings.network_settings
        )
