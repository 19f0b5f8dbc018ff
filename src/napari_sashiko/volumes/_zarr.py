"""Zarr: plain arrays and images of OME-Zarr 0.1 to 0.5."""

from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found
from napari_sashiko.volumes.ome_zarr import axes_of, ome_levels, time_of, voxel_size_of


def open_zarr(path: Path, ask: Ask) -> Found:
    """Open an array, or one level of an image.

    Raises
    ------
    VolumeError
        If there is nothing to read, or it is not clear which array.
    """
    try:
        found: Any = zarr.open(str(path), mode="r")
        if ask.dataset:
            found = found[ask.dataset]
    except (FileNotFoundError, KeyError) as error:
        where = f"{path.name} has no {ask.dataset!r}" if ask.dataset else ""
        raise VolumeError(f"{where or f'{path} is not Zarr'}.") from error
    if isinstance(found, zarr.Array):
        return _plain(found, path, ask)
    return _from_group(path, found, ask)


def _plain(array: Any, path: Path, ask: Ask) -> Found:
    """Take the names of its axes where they are letters that a volume knows."""
    if ask.level:
        raise VolumeError(
            f"{path.name} has no level {ask.level}: it is a single array.",
            "Give the folder that holds all levels, or leave the level out.",
        )
    names = getattr(array.metadata, "dimension_names", None) or ()
    axes = "".join(str(name) for name in names)
    fits = len(axes) == array.ndim == len(set(axes)) and set(axes) <= set("tczyx")
    return Found(array, axes if fits else None)


def _from_group(path: Path, group: Any, ask: Ask) -> Found:
    if ome_levels(group) is None and "0" in group.group_keys():
        group = group["0"]  # one image of several, as bioformats2raw writes them
    multiscale = ome_levels(group)
    if multiscale is None:
        return _only_array(path, group, ask)
    datasets = multiscale["datasets"]
    if not 0 <= ask.level < len(datasets):
        raise VolumeError(
            f"{path.name} has no level {ask.level}.",
            f"Levels: 0 to {len(datasets) - 1}.",
        )
    size, unit = voxel_size_of(multiscale, ask.level)
    array = group[datasets[ask.level]["path"]]
    axes, time = axes_of(multiscale), time_of(multiscale, ask.level)
    return Found(array, axes, size, unit, time=time, levels=len(datasets))


def _only_array(path: Path, group: Any, ask: Ask) -> Found:
    arrays = sorted(group.array_keys())
    if len(arrays) == 1:
        return _plain(group[arrays[0]], path, ask)
    names = [*arrays, *sorted(group.group_keys())]
    raise VolumeError(
        f"{path.name} is a group without an image of its own.",
        f"Name what to read: {', '.join(names)}." if names else "It is empty.",
    )
