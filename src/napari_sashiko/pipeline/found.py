"""Labelled objects on disk, opened for whoever shows them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.instances import table_digest
from napari_sashiko.volumes import ATTRIBUTES, DAMAGED, KEY_FRAME, open_levels


@dataclass(frozen=True)
class Instances:
    """Open instances; the array is read by blocks.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    labels : zarr array
        ``([T,] [Z,] Y, X)`` uint32; 0 is no object.
    prediction : Path
        What they were found in.
    class_name : str
        Which class they are of.
    voxel_size : tuple of float
        ([t,] [z,] y, x) in `units`.
    unit : str
        Of length, ``"pixel"`` when unknown.
    axes : str
        One letter for each axis.
    units : tuple of str
        One for each axis.
    table : Path or None
        Their table, where it is.
    odd : str
        What is wrong with that table, in words; empty if nothing is.
    coarser : tuple of zarr array
        Coarser levels of the labels; none of small images.
    apart : bool
        Whether they lie in several frames: time points, or separate images.
    """

    path: Path
    labels: Any
    prediction: Path
    class_name: str
    voxel_size: tuple[float, ...]
    unit: str
    axes: str
    units: tuple[str, ...]
    table: Path | None = None
    odd: str = ""
    coarser: tuple[Any, ...] = ()
    apart: bool = False


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
        table, odd = _own_table(path, record)
        scale = scales["datasets"][0]["coordinateTransformations"][0]["scale"]
        return Instances(
            path=path,
            labels=group["labels/0"],
            prediction=Path(record["prediction"]),
            class_name=str(record["class_name"]),
            voxel_size=tuple(float(size) for size in scale),
            unit=str(scales["axes"][-1].get("unit", "pixel")),
            axes="".join(str(axis["name"]) for axis in scales["axes"]),
            units=tuple(str(axis.get("unit", "pixel")) for axis in scales["axes"]),
            table=table,
            odd=odd,
            coarser=open_levels(path / "labels")[1:],
            apart=KEY_FRAME in record or scales["axes"][0]["name"] == "t",
        )
    except DAMAGED as error:
        raise OutputError(
            f"There are no instances at {path}, or they are damaged.",
            "Find them again.",
        ) from error


def _own_table(path: Path, record: dict[str, Any]) -> tuple[Path | None, str]:
    """Table of the objects, and what is wrong with it."""
    name, known = record.get("table"), record.get("table_digest")
    if name is None or known is None:
        if "state" in record:  # nothing was measured
            return None, ""
        table = path.with_suffix(".csv")  # of objects from before it was noted
        return (table if table.exists() else None), ""
    table = Path(os.path.normpath(path.parent / str(name)))
    for place in (table, path.with_suffix(".csv")):  # both may have got another name
        if table_digest(place) == known:
            return place, ""
    which = "belongs to other objects" if table.exists() else "is missing"
    return None, f"The table {table} {which}: find the instances again to have it."
