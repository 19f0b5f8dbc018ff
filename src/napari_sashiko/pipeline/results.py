"""Finished and half-finished results of blocks, opened for whoever shows them.

Predictions, restored images and reconstructions are one kind of folder: arrays beside
a record and a ledger. One opener reads what they share; each adds its arrays.
"""

import math
from collections.abc import Callable, Mapping
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
    RECONSTRUCTED,
    RESTORED,
    read_record,
    reading_prediction,
    record_of,
)
from napari_sashiko.volumes import (
    ATTRIBUTES,
    DAMAGED,
    Stacking,
    Volume,
    live_levels,
    open_levels,
    stacking_of,
)

Coarser = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What all results that are written block by block have.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    stack : Stacking
        How slices fall into frames, and which axes the arrays have.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    model_digest : str
        Which model made it; empty for none.
    done, total : int
        Blocks that are finished, and all.
    """

    path: Path
    stack: Stacking
    voxel_size: tuple[float, float, float]
    unit: str
    model_digest: str
    done: int
    total: int

    @property
    def shape(self) -> tuple[int, ...]:
        """``([T,] [Z,] Y, X)`` in voxels."""
        return self.stack.on_disk


@dataclass(frozen=True, kw_only=True)
class Prediction(Result):
    """An open prediction; arrays are read by blocks.

    Parameters
    ----------
    mean, std : zarr arrays
        ``([T,] K, [Z,] Y, X)`` in [0, 1].
    class_ids : zarr array
        ``([T,] [Z,] Y, X)`` uint8; 0 where it is not predicted yet.
    classes : tuple of LabelClass
        In the order of the channels.
    coverages : tuple of float
        Those that prediction sets of it may be asked for; none where its model was not
        calibrated.
    coarser : mapping
        Coarser levels of ``mean``, ``std`` and ``classes`` by name, the finest of them
        first; none while it is not finished, and of small images.
    """

    mean: Any
    std: Any
    class_ids: Any
    classes: tuple[LabelClass, ...]
    coverages: tuple[float, ...] = ()
    coarser: Coarser = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Restored(Result):
    """An open restored image; arrays are read by blocks.

    Parameters
    ----------
    mean, std : zarr arrays
        ``([T,] C, [Z,] Y, X)`` float32 in grey values: over the networks.
    coarser : mapping
        Coarser levels of ``mean`` and ``std`` by name; none while it is not finished,
        and of small images.
    """

    mean: Any
    std: Any
    coarser: Coarser = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reconstructed(Result):
    """An open reconstruction; arrays are read by blocks.

    Parameters
    ----------
    images : dict of zarr arrays
        ``(1, [Z,] Y, X)`` float32: ``fbp`` is the filtered back-projection, ``mean``
        and ``std`` are those over the networks of a model.
    angles : tuple of float
        Degrees, one for each row of the sinograms.
    coarser : mapping
        Coarser levels of each image by name; none of small images.
    """

    images: dict[str, Any]
    angles: tuple[float, ...]
    coarser: Coarser = field(default_factory=dict)


def open_result(path: Path | str) -> Prediction | Restored | Reconstructed:
    """Open whatever was written block by block: `Prediction`, `Restored`, ...

    Raises
    ------
    OutputError
        If there is nothing, it is damaged, or it comes from a newer version.
    """
    record = read_record(Path(path))
    kind = PREDICTION if record is None else record["kind"]
    return _opened(Path(path), kind)  # type: ignore[no-any-return]


def open_prediction(path: Path | str) -> Prediction:
    """Open a prediction for reading.

    Raises
    ------
    OutputError
        If there is none, it is damaged, or it comes from a newer version.
    """
    return _opened(Path(path), PREDICTION)  # type: ignore[no-any-return]


def open_restored(path: Path | str) -> Restored:
    """Open a restored image for reading; raises as `open_prediction`."""
    return _opened(Path(path), RESTORED)  # type: ignore[no-any-return]


def open_reconstructed(path: Path | str) -> Reconstructed:
    """Open a reconstruction for reading; raises as `open_prediction`."""
    return _opened(Path(path), RECONSTRUCTED)  # type: ignore[no-any-return]


def _opened(path: Path, kind: str) -> Any:
    """Open a result that must be of this kind."""
    record = record_of(path, kind)
    with reading_prediction(path):
        group = zarr.open_group(str(path), mode="r")
        done, total = progress(group)
        z, y, x = (float(size) for size in record["voxel_size"])
        result, arrays = KINDS_OF_RESULTS[kind]
        return result(
            path=path,
            stack=stacking_of(record),
            voxel_size=(z, y, x),
            unit=str(record["unit"]),
            model_digest=str(record["model_digest"]),
            done=done,
            total=total,
            **arrays(path, group, record),
        )


def _of_prediction(path: Path, group: Any, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "mean": group["mean/0"],
        "std": group["std/0"],
        "class_ids": group["classes/0"],
        "classes": tuple(LabelClass(**each) for each in record["classes"]),
        "coverages": _coverages(record.get("sets")),
        "coarser": _coarser(path, "mean", "std", "classes"),
    }


def _of_restored(path: Path, group: Any, _record: dict[str, Any]) -> dict[str, Any]:
    return {
        "mean": group["mean/0"],
        "std": group["std/0"],
        "coarser": _coarser(path, "mean", "std"),
    }


def _of_reconstruction(
    path: Path, group: Any, record: dict[str, Any]
) -> dict[str, Any]:
    return {
        "images": {name: group[f"{name}/0"] for name in record["images"]},
        "coarser": _coarser(path, *record["images"]),
        "angles": tuple(float(angle) for angle in record["angles"]),
    }


def _coarser(path: Path, *names: str) -> Coarser:
    return {name: live_levels(path / name)[1:] for name in names}


Arrays = Callable[[Path, Any, dict[str, Any]], dict[str, Any]]
KINDS_OF_RESULTS: Mapping[str, tuple[type[Result], Arrays]] = {
    PREDICTION: (Prediction, _of_prediction),
    RESTORED: (Restored, _of_restored),
    RECONSTRUCTED: (Reconstructed, _of_reconstruction),
}


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
            stack = stacking_of(record)
            sizes = zip((stack.depth, *stack.shape[1:]), record["cell"], strict=True)
            return 0, stack.count * math.prod(-(-n // size) for n, size in sizes)


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
    coarser : tuple of zarr array
        Levels of half, a quarter ... of the voxels of `sizes`.
    """

    path: Path
    sizes: Any
    classes: tuple[str, ...]
    coverage: float
    voxels: tuple[int, ...] = ()
    reached: float | None = None
    model_digest: str = ""
    coarser: tuple[Any, ...] = ()


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
            coarser=open_levels(path / "sizes")[1:],
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
