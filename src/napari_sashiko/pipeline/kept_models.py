"""Models kept as they were when they segmented: a training goes on with its own.

What a segmentation was made by is asked for later: for error bars, in a report, to go
on where it stopped. While training stays on, its folder holds another model after the
next stroke.
"""

from pathlib import Path

from napari_sashiko.errors import ModelError
from napari_sashiko.prediction import read_record

ROOM = ".models"  # beside predictions; models there are on no list
SUFFIX = ".sashiko-model"


def kept_model(prediction: Path) -> Path:
    """Where the model of a prediction is kept, if it is."""
    return prediction.parent / ROOM / f"{prediction.stem}{SUFFIX}"


def keep_model(model: Path, prediction: Path, *, overwrite: bool = False) -> Path:
    """Keep a model as it is now, to segment with.

    Parameters
    ----------
    model : Path
        Model folder.
    prediction : Path
        Folder NAME.zarr that is going to be made, or gone on with.
    overwrite : bool
        Whether what is there of the prediction is going to be deleted.

    Returns
    -------
    Path
        What to segment with: the copy. The model itself, where a prediction is there
        of which no copy was kept, or that another model has made.

    Raises
    ------
    SashikoError
        If there is no model, it is damaged, or the copy cannot be written.
    """
    from napari_sashiko.checkpoints import (  # noqa: PLC0415 - loads torch
        copy_model,
        model_digest,
    )

    kept = kept_model(prediction)
    record = None if overwrite else read_record(prediction)
    if record is None:
        copy_model(model, kept)
        return kept
    try:
        same = model_digest(model) == record.get("model_digest") == model_digest(kept)
    except ModelError:
        return model
    return kept if same else model
