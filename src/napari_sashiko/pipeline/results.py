"""Finished and half-finished predictions, opened for whoever shows them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from pydantic import ValidationError

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.metrics import SetCalibration
from napari_sashiko.prediction import (
    PREDICTION,
    read_record,
    reading_prediction,
    record_of,
)
from napari_sashiko.volumes import ATTRIBUTES, DAMAGED, Volume, live_levels


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
    coverages : tuple of float
        Those that prediction sets of it may be asked for; none where its model was not
        calibrated.
    coarser : mapping
        Coarser levels of ``mean``, ``std`` and ``classes`` by name, the finest of them
        first; none while it is not finished, and of small images.
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
    coverages: tuple[float, ...] = ()
    coarser: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def open_prediction(path: Path | str) -> Prediction:
    """Open a prediction for reading.

    Raises
    ------
    OutputError
        If there is none, it is damaged, or it comes from a newer version.
    """
    path = Path(path)
    record = record_of(path, PREDICTION)
    with reading_prediction(path):
        group = zarr.open_group(str(path), mode="r")
        done, total = progress(group)
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
            coverages=_coverages(record.get("sets")),
            coarser={
                name: live_levels(path / name)[1:]
                for name in ("mean", "std", "classes")
            },
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
            return progress(zarr.open_group(str(out), mode="r"))
        except DAMAGED:
            # The next run looks itself which blocks are whole.
            sizes = zip(record["shape"], record["cell"], strict=True)
            return 0, math.prod(-(-n // size) for n, size in sizes)


@dataclass(frozen=True)
class PredictionSets:
    """How many classes each voxel of a prediction may have.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    sizes : zarr array
        ``([Z,] Y, X)`` uint8: 0 where a voxel is like none of the classes.
    classes : tuple of str
        Names of the classes.
    coverage : float
        Share of sets that shall hold the true class.
    voxels : tuple of int
        Voxels by the number of classes that they may have; empty where nobody noted it.
    reached : float or None
        Coverage of held-out strokes.
    model_digest : str
        Which model made the prediction.
    """

    path: Path
    sizes: Any
    classes: tuple[str, ...]
    coverage: float
    voxels: tuple[int, ...] = ()
    reached: float | None = None
    model_digest: str = ""


def open_sets(path: Path | str) -> PredictionSets:
    """Open prediction sets for reading.

    Raises
    ------
    OutputError
        If there are none, or the folder is damaged.
    """
    path = Path(path)
    try:
        group = zarr.open_group(str(path), mode="r")
        record: Any = group.attrs[ATTRIBUTES]
        return PredictionSets(
            path=path,
            sizes=group["sizes/0"],
            classes=tuple(str(each["name"]) for each in record["classes"]),
            coverage=float(record["coverage"]),
            voxels=tuple(int(count) for count in record.get("voxels", ())),
            reached=record.get("reached"),
            model_digest=str(record.get("model_digest", "")),
        )
    except DAMAGED as error:
        raise OutputError(
            f"There are no prediction sets at {path}, or they are damaged.",
            "Make them again.",
        ) from error


def _coverages(record: Any) -> tuple[float, ...]:
    """What sets may be asked for; none where the calibration is missing or damaged."""
    try:
        return () if record is None else SetCalibration.model_validate(record).able
    except ValidationError:  # told by whoever makes sets
        return ()


def progress(group: Any) -> tuple[int, int]:
    """Cells that are finished, and all."""
    ledger = np.asarray(group["ledger"])
    return int((ledger == 1).sum()), int(ledger.size)
