"""Finished and half-finished predictions, opened for whoever shows them."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.prediction import read_record, reading_prediction
from napari_sashiko.volumes import DAMAGED, Volume


@dataclass(frozen=True)
class Prediction:
    """An open prediction; arrays are read by blocks.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    mean, std : zarr arrays
        ``(K, [Z,] Y, X)`` in [0, 1].
    class_ids : zarr array
        ``([Z,] Y, X)`` uint8; 0 where it is not predicted yet.
    classes : tuple of LabelClass
        In the order of the channels.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    model_digest : str
        Which model made it.
    done, total : int
        Blocks that are finished, and all.
    """

    path: Path
    mean: Any
    std: Any
    class_ids: Any
    classes: tuple[LabelClass, ...]
    voxel_size: tuple[float, float, float]
    unit: str
    model_digest: str
    done: int
    total: int


def open_prediction(path: Path | str) -> Prediction:
    """Open a prediction for reading.

    Raises
    ------
    OutputError
        If there is none, it is damaged, or it comes from a newer version.
    """
    path = Path(path)
    record = read_record(path)
    if record is None:
        raise OutputError(f"There is no prediction at {path}.", "Predict it first.")
    with reading_prediction(path):
        group = zarr.open_group(str(path), mode="r")
        done, total = _progress(group)
        z, y, x = (float(size) for size in record["voxel_size"])
        return Prediction(
            path=path,
            mean=group["mean/0"],
            std=group["std/0"],
            class_ids=group["classes/0"],
            classes=tuple(LabelClass(**each) for each in record["classes"]),
            voxel_size=(z, y, x),
            unit=str(record["unit"]),
            model_digest=str(record["model_digest"]),
            done=done,
            total=total,
        )


def check_prediction(
    model: Path | str, volume: Volume, out: Path | str
) -> tuple[int, int] | None:
    """Tell how far a prediction of this volume by this model has come.

    Returns
    -------
    tuple of int or None
        Blocks done and all; None when nothing is there. No block counts as done
        where the ledger is damaged: the run itself finds what is whole.

    Raises
    ------
    OutputError
        If `out` belongs to another model or image, or is no prediction.
    """
    from napari_sashiko.checkpoints import model_digest  # noqa: PLC0415 - loads torch

    record = read_record(Path(out))
    if record is None:
        return None
    wanted = {
        "model": ("model_digest", model_digest(Path(model))),
        "image": ("input_digest", volume.digest()),
    }
    for what, (key, digest) in wanted.items():
        if record.get(key) != digest:
            raise OutputError(
                f"{out} exists and was made with another {what}.",
                "Choose another name, or overwrite it.",
            )
    with reading_prediction(Path(out)):
        try:
            return _progress(zarr.open_group(str(out), mode="r"))
        except DAMAGED:
            # The next run looks itself which blocks are whole.
            sizes = zip(record["shape"], record["cell"], strict=True)
            return 0, math.prod(-(-n // size) for n, size in sizes)


def _progress(group: Any) -> tuple[int, int]:
    ledger = np.asarray(group["ledger"])
    return int((ledger == 1).sum()), int(ledger.size)
