"""Opening files: one function per format, chosen by the name's ending."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import tifffile
import zarr

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes.ome_zarr import axes_of, ome_levels, voxel_size_of
from napari_sashiko.volumes.volume import Volume, as_volume

Opened = tuple[Any, str | None, tuple[float, ...] | None, str]
PAGES = {"Q": "z", "I": "z", "S": "c", "C": "c", "T": "t", "Z": "z", "Y": "y", "X": "x"}


def open_volume(
    path: Path | str,
    *,
    axes: str | None = None,
    dataset: str | None = None,
    level: int = 0,
) -> Volume:
    """Open a file or folder; voxels are read later, by regions.

    Parameters
    ----------
    path : path
        ``.npy``, ``.npz``, ``.tif``, ``.tiff`` or ``.zarr``.
    axes : str, optional
        One letter of ``tczyx`` per axis, where the file does not say or is wrong.
    dataset : str, optional
        Array inside a ``.npz`` or ``.zarr``.
    level : int
        Level of an image pyramid, 0 is the finest.

    Raises
    ------
    VolumeError
        If the file is not there, damaged, of an unknown format, or its axes are not
        clear.
    """
    place = Path(path)
    if not place.exists():
        raise VolumeError(f"{place} is not there.")
    opener = _OPENERS.get(place.suffix.lower())
    if opener is None:
        known = ", ".join(sorted(_OPENERS))
        raise VolumeError(
            f"{place.name} has a format that cannot be read.", f"Known: {known}."
        )
    try:
        array, found, voxel_size, unit = opener(place, dataset, level)
    except (OSError, ValueError, KeyError, IndexError, tifffile.TiffFileError) as error:
        raise VolumeError(f"{place} cannot be read: {error}.") from error
    guessed = as_volume(
        array,
        axes=axes or found,
        voxel_size=voxel_size,
        unit=unit,
        name=place.name.split(".")[0] or place.name,
    )
    guessed.path = place
    guessed.source = {
        "path": str(place.absolute()),
        "axes": axes,
        "dataset": dataset,
        "level": level,
    }
    return guessed


def _open_npy(path: Path, _dataset: str | None, _level: int) -> Opened:
    return np.load(path, mmap_mode="r", allow_pickle=False), None, None, "pixel"


def _open_npz(path: Path, dataset: str | None, _level: int) -> Opened:
    with np.load(path, allow_pickle=False) as arrays:
        names = list(arrays)
        name = dataset or ("image" if "image" in names else None)
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            known = ", ".join(names)
            raise VolumeError(
                f"{path.name} holds several arrays.", f"Name one of: {known}."
            )
        return arrays[name], None, None, "pixel"


def _open_tiff(path: Path, _dataset: str | None, level: int) -> Opened:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        axes = "".join(PAGES.get(letter, letter.lower()) for letter in series.axes)
        size, unit = _tiff_voxels(file)
        if level == 0 and series.dataoffset is not None and file.byteorder:
            try:
                array = tifffile.memmap(path, mode="r")
            except ValueError:  # compressed: read by pages
                array = None
            if array is not None and array.shape == series.shape:
                return array, _known(axes), size, unit
        store = series.aszarr(level=level)
    paged = zarr.open(store, mode="r")
    weakref.finalize(paged, store.close)  # else the file stays open
    return paged, _known(axes), size, unit


def _known(axes: str) -> str | None:
    fits = set(axes) <= set("tczyx") and len(set(axes)) == len(axes)
    return axes if fits else None


def _tiff_voxels(file: tifffile.TiffFile) -> tuple[tuple[float, ...] | None, str]:
    if file.ome_metadata:
        return _ome_voxels(file.ome_metadata)
    imagej = file.imagej_metadata or {}
    unit = _unit(str(imagej.get("unit", "pixel")))
    page: Any = file.pages[0]
    tags = page.tags
    size = []
    for name in ("YResolution", "XResolution"):
        value = tags[name].value if name in tags else (0, 1)
        size.append(value[1] / value[0] if value[0] else 0.0)
    if not imagej or not all(size):
        return None, "pixel"
    return (float(imagej.get("spacing", size[1])), *size), unit


def _ome_voxels(text: str) -> tuple[tuple[float, ...] | None, str]:
    """Voxel size of the first image of OME-XML; micrometres where no unit stands."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return None, "pixel"
    pixels = root.find("{*}Image/{*}Pixels")
    found = {} if pixels is None else pixels.attrib
    sizes = [float(found.get(f"PhysicalSize{axis}", 0)) for axis in "ZYX"]
    if not sizes[1] or not sizes[2]:
        return None, "pixel"
    unit = _unit(found.get("PhysicalSizeXUnit", "µm"))
    return (sizes[0] or sizes[1], sizes[1], sizes[2]), unit


def _unit(name: str) -> str:
    plain = name.replace("\\u00B5m", "um").replace("µm", "um").replace("μm", "um")
    return {"micron": "um", "microns": "um", "": "pixel"}.get(plain, plain)


def _open_zarr(path: Path, dataset: str | None, level: int) -> Opened:
    found: Any = zarr.open(path, mode="r")
    if dataset:
        found = found[dataset]
    if isinstance(found, zarr.Array):
        return found, None, None, "pixel"
    multiscale = ome_levels(found)
    if multiscale is None:
        arrays = list(found.array_keys())
        if len(arrays) == 1:
            return found[arrays[0]], None, None, "pixel"
        raise VolumeError(
            f"{path.name} is a group without OME metadata.",
            f"Name an array in it: {', '.join(arrays) or 'there is none'}.",
        )
    size, unit = voxel_size_of(multiscale, level)
    array = found[multiscale["datasets"][level]["path"]]
    return array, axes_of(multiscale), size, unit


_OPENERS: dict[str, Callable[[Path, str | None, int], Opened]] = {
    ".npy": _open_npy,
    ".npz": _open_npz,
    ".tif": _open_tiff,
    ".tiff": _open_tiff,
    ".zarr": _open_zarr,
}
