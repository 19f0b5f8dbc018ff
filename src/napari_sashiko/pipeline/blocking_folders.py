"""Steps on folders of pictures as plain functions that return when all is done."""

from pathlib import Path
from typing import Any

from napari_sashiko.pipeline.applying import (
    ApplySettings,
    PicturesDone,
    apply_steps,
)
from napari_sashiko.pipeline.blocking import Report, run_to_end
from napari_sashiko.pipeline.compared import FolderCompared
from napari_sashiko.pipeline.comparing import compare_steps


def apply(
    model: Path | str,
    folder: Path | str,
    out: Path | str,
    *,
    report: Report | None = None,
    **settings: Any,
) -> PicturesDone:
    """Segment or restore every picture of a folder; goes on where it stopped.

    Parameters
    ----------
    model : path
        Model folder.
    folder : path
        Pictures of any sizes, or a folder with ``images`` in it.
    out : path
        Folder for the results: for each picture ``NAME.png``, or of a model that
        restores ``NAME.tif``.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `ApplySettings`, e.g. ``probabilities=True``, ``overwrite=True``.

    Returns
    -------
    PicturesDone
        ``written``, ``kept``, and in ``problems`` the pictures that were left out.

    Raises
    ------
    SashikoError
        If model, folder, settings or output cannot be used.
    """
    chosen = ApplySettings.checked(**settings)
    return run_to_end(apply_steps(model, folder, out, chosen), PicturesDone, report)


def evaluate_folder(
    results: Path | str,
    truth: Path | str,
    out: Path | str | None = None,
    *,
    label_class: str | int | None = None,
    overlays: bool = True,
    report: Report | None = None,
) -> FolderCompared:
    """Score results of `apply`: classes by labels, restored pictures by clean ones.

    Parameters
    ----------
    results : path
        Folder that `apply` has written.
    truth : path
        Label pictures of the same names, or a folder with ``labels`` in it. Of restored
        pictures clean ones, or a folder with ``images`` or parts of these.
    out : path, optional
        Folder for table and overlays; ``evaluation`` in `results` when left out.
    label_class : str or int, optional
        Class whose overlays are drawn; all when left out, of two the second one.
    overlays : bool
        Whether it is drawn where classes are wrong.
    report : callable, optional
        Called with each event on the way.

    Returns
    -------
    FolderCompared
        ``rows`` of scores over all pictures, of restored ones their mean; those of each
        one are in ``table``.

    Raises
    ------
    SashikoError
        If results and truth do not fit, or the output cannot be written.
    """
    steps = compare_steps(
        results, truth, out, label_class=label_class, overlays=overlays
    )
    return run_to_end(steps, FolderCompared, report)
