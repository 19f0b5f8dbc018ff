"""Labelled objects on disk, opened for whoever shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError

ATTRIBUTES = "sashiko"


@dataclass(frozen=True)
class Instances:
    """Open instances; the array is read by blocks.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    labels : zarr array
        ``([Z,] Y, X)`` uint32; 0 is no object.
    prediction : Path
        What they were found in.
    class_name : str
        Which class they are of.
    voxel_size : tuple of float
        ([z,] y, x) in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    """

    path: Path
    labels: Any
    prediction: Path
    class_name: str
    voxel_size: tuple[float, ...]
    unit: str


def open_instances(path: Path | str) -> Instances:
    """Open instances for reading.

    Raises
    ------
    OutputError
        If there are none, or the folder is damaged.
    """
    path = Path(path)
    try:
        group = zarr.open_group(str(path), mode="r")
        record: Any = group.attrs[ATTRIBUTES]
        image: Any = group["labels"].attrs["ome"]
        scales = image["multiscales"][0]
        scale = scales["datasets"][0]["coordinateTransformations"][0]["scale"]
        return Instances(
            path=path,
            labels=group["labels/0"],
            prediction=Path(record["prediction"]),
            class_name=str(record["class_name"]),
            voxel_size=tuple(float(size) for size in scale),
            unit=str(scales["axes"][-1].get("unit", "pixel")),
        )
    except (KeyError, OSError, ValueError, TypeError, IndexError) as error:
        raise OutputError(
            f"There are no instances at {path}, or they are damaged.",
            "Find them again.",
        ) from error
