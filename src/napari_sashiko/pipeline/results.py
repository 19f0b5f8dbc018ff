"""Open what runs left on disk: predictions and instances, for whoever shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.checkpoints import model_digest
from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.prediction import read_record
from napari_sashiko.volumes import Volume

ATTRIBUTES = "sashiko"


@dataclass(frozen=True)
class OpenPrediction:
    """A prediction whose arrays are read when they are sliced.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    mean, std : zarr array, (C, [Z,] Y, X)
        Probabilities in [0, 1] and their deviation; 0 where not predicted yet.
    class_ids : zarr array of uint8, ([Z,] Y, X)
        Most probable class; 0 where not predicted yet.
    classes : tuple of LabelClass
        In the order of the channels.
    model_digest : str
        Which model it is from.
    voxel_size : (float, float, float)
        z, y, x in `unit`.
    unit : str
        Unit of length.
    flat : bool
        Whether the arrays have no z axis.
    done, total : int
        Finished blocks, all blocks.
    """

    path: Path
    mean: Any
    std: Any
    class_ids: Any
    classes: tuple[LabelClass, ...]
    model_digest: str
    voxel_size: tuple[float, float, float]
    unit: str
    flat: bool
    done: int
    total: int


@dataclass(frozen=True)
class OpenInstances:
    """Labelled objects that are read when they are sliced.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    labels : zarr array of uint32, ([Z,] Y, X)
        0 is no object.
    prediction : Path
        What they were found in.
    voxel_size : (float, float, float)
        z, y, x in `unit`.
    unit : str
        Unit of length.
    flat : bool
        Whether the array has no z axis.
    """

    path: Path
    labels: Any
    prediction: Path
    voxel_size: tuple[float, float, float]
    unit: str
    flat: bool


def open_prediction(path: Path | str) -> OpenPrediction:
    """Open a prediction, finished or not, without reading voxels.

    Raises
    ------
    OutputError
        If there is none, or it is damaged or from a newer version.
    """
    path = Path(path)
    record = read_record(path)
    if record is None:
        raise OutputError(f"There is no prediction {path}.", "Segment a volume first.")
    try:
        group = zarr.open_group(str(path), mode="r")
        done, total = _finished(group)
        z, y, x = record["voxel_size"]
        return OpenPrediction(
            path=path,
            mean=group["mean/0"],
            std=group["std/0"],
            class_ids=group["classes/0"],
            classes=tuple(LabelClass(**each) for each in record["classes"]),
            model_digest=str(record["model_digest"]),
            voxel_size=(float(z), float(y), float(x)),
            unit=str(record["unit"]),
            flat=bool(record["flat"]),
            done=done,
            total=total,
        )
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise _damaged(path) from error


def open_instances(path: Path | str) -> OpenInstances:
    """Open labelled objects without reading voxels.

    Raises
    ------
    OutputError
        If there are none, or the folder is damaged.
    """
    path = Path(path)
    try:
        group = zarr.open_group(str(path), mode="r")
        record: Any = group.attrs[ATTRIBUTES]
        labels = group["labels/0"]
        size, unit = _scale(group["labels"])
        flat = labels.ndim == 2
        z, y, x = (1.0, *size) if flat else size
        prediction = Path(record["prediction"])
        return OpenInstances(path, labels, prediction, (z, y, x), unit, flat)
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise _damaged(path) from error


def check_prediction(
    model: Path, volume: Volume, out: Path | str
) -> tuple[int, int] | None:
    """Whether a prediction at `out` can be gone on with.

    Returns
    -------
    (done, total) or None
        Finished blocks and all blocks; None if nothing is there.

    Raises
    ------
    OutputError
        If what is there belongs to another model or image, or is no prediction.
    """
    record = read_record(Path(out))
    if record is None:
        return None
    parts = {
        "model_digest": (model_digest(model), "another model, or fewer members"),
        "input_digest": (volume.digest(), "another image"),
    }
    for key, (wanted, words) in parts.items():
        if record.get(key) != wanted:
            raise OutputError(
                f"There is a result of {words} under this name ({Path(out).name}).",
                "Replace it, or choose another model.",
            )
    found = open_prediction(out)
    return found.done, found.total


def _finished(group: Any) -> tuple[int, int]:
    ledger = group["ledger"][...]
    return int((ledger == 1).sum()), int(ledger.size)


def _damaged(path: Path) -> OutputError:
    return OutputError(
        f"{path} is damaged or was not written by this program.",
        "Delete it and make it again.",
    )


def _scale(image: Any) -> tuple[list[float], str]:
    """Voxel size and unit out of the metadata of an OME-Zarr image."""
    multiscale = image.attrs["ome"]["multiscales"][0]
    transform = multiscale["datasets"][0]["coordinateTransformations"][0]
    unit = multiscale["axes"][-1].get("unit", "pixel")
    return [float(value) for value in transform["scale"]], str(unit)
