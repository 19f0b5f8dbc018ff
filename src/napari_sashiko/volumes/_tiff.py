"""TIFF: mapped or read by pages; voxel size of OME, ImageJ or the resolution."""

import logging
import math
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import tifffile
import zarr

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import (
    Ask,
    Found,
    Size,
    known_size,
    known_time,
    size_in_one_unit,
)
from napari_sashiko.volumes.frames import Time

# Pages without a meaning are slices; samples are the colours of RGB.
LETTERS = {"Q": "z", "I": "z", "S": "c"}
# Micrometres of the tag ResolutionUnit: centimetre, and two of tifffile's own.
RESOLUTION_UNITS = {3: 1e4, 4: 1e3, 5: 1.0}
INCH = 25400.0  # micrometres
INCHES = ("inch", "inches", "in")
DPI = (72, 96, 150, 200, 300, 600, 1200)  # pixels per inch of printers and screens
PRINTED = 0.015  # they are rounded to whole pixels per centimetre


def open_tiff(path: Path, ask: Ask) -> Found:
    """Open the first series of a TIFF.

    Raises
    ------
    VolumeError
        If there is no image in it, it was cut off, or there is no such level.
    """
    with tifffile.TiffFile(path) as file:
        series = _first_series(path, file)
        levels = len(series.levels)
        if not 0 <= ask.level < levels:
            raise VolumeError(
                f"{path.name} has no level {ask.level}.",
                f"Levels: 0 to {levels - 1}.",
            )
        level = series.levels[ask.level]
        axes = "".join(LETTERS.get(a, a.lower()) for a in level.axes)
        size, unit = _voxels(file)
        time = _time(file)
        array = _mapped(path, file, level)
        if array is None:
            store = series.aszarr(level=ask.level)
            array = zarr.open(store, mode="r")
            weakref.finalize(array, store.close)  # else the file stays open
    if size is not None and ask.level:
        size = _scaled(size, series.axes, series.shape, level.shape)
    fits = set(axes) <= set("tczyx") and len(set(axes)) == len(axes)
    return Found(array, axes if fits else None, size, unit, time=time, levels=levels)


def _first_series(path: Path, file: Any) -> Any:
    """A file that was cut off has fewer pages; tifffile says so only to its log."""
    listener = _Listener(logging.ERROR)
    log = logging.getLogger("tifffile")
    log.addHandler(listener)
    try:
        series = file.series
    finally:
        log.removeHandler(listener)
    if any("invalid page offset" in text for text in listener.texts):
        raise VolumeError(f"{path} was cut off: slices are missing.", "Copy it again.")
    if not series:
        raise VolumeError(f"{path} is a TIFF without images.")
    return series[0]


class _Listener(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _mapped(path: Path, file: Any, level: Any) -> Any:
    """Map plain data in one piece; None where it is packed or in pieces."""
    if level.dataoffset is None:
        return None
    try:
        return np.memmap(
            path,
            np.dtype(file.byteorder + level.dtype.char),
            "r",
            level.dataoffset,
            level.shape,
        )
    except ValueError:  # the file is shorter than it says: read what is there
        return None


def voxels_of_tiff(path: Path) -> tuple[Size | None, str]:
    """Voxel size and unit of a TIFF, from what stands beside its pixels."""
    with tifffile.TiffFile(path) as file:
        return _voxels(file)


def _voxels(file: Any) -> tuple[Size | None, str]:
    """Take the first that says something: OME, ImageJ, resolution of the first page."""
    found: tuple[Size | None, str] = (None, "pixel")
    tags = file.pages[0].tags
    if file.ome_metadata:
        found = _ome_voxels(file.ome_metadata)
    elif file.imagej_metadata:
        found = _imagej_voxels(file.imagej_metadata, tags)
    return found if found[0] is not None else _tagged_voxels(tags)


def _tagged_voxels(tags: Any) -> tuple[Size | None, str]:
    """Pixels per centimetre, ... of the tags; a depth is not told, and taken as y.

    Inches are of printers and screens, which write what they were set to, and so are
    their resolutions in centimetres.
    """
    kind = tags["ResolutionUnit"].value if "ResolutionUnit" in tags else None
    unit = RESOLUTION_UNITS.get(int(kind or 0))
    y, x = (_pixel_size(tags, name) for name in ("YResolution", "XResolution"))
    if unit is None or _is_of_printer(x, unit):
        return None, "pixel"
    size = known_size(tuple(unit * step for step in (y, y, x)))
    return size, "pixel" if size is None else "um"


def _is_of_printer(step: float, unit: float) -> bool:
    """Whether pixels are as large as printers and screens have them."""
    if not step > 0:
        return False
    dots = INCH / (step * unit)
    return any(math.isclose(dots, known, rel_tol=PRINTED) for known in DPI)


def _time(file: Any) -> Time | None:
    """Time between two frames, as OME-XML or ImageJ say it; seconds without a unit."""
    if file.ome_metadata:
        found = _pixels(file.ome_metadata)
        step = float(found.get("TimeIncrement", 0))
        return known_time(step, found.get("TimeIncrementUnit", "s"))
    words = file.imagej_metadata or {}
    return known_time(float(words.get("finterval") or 0), str(words.get("tunit", "s")))


def _pixels(text: str) -> Mapping[str, str]:
    """What OME-XML says of its first image; nothing where it is damaged."""
    try:
        pixels = ET.fromstring(text).find("{*}Image/{*}Pixels")
    except ET.ParseError:
        return {}
    return {} if pixels is None else pixels.attrib


def _ome_voxels(text: str) -> tuple[Size | None, str]:
    """Voxel size of the first image of OME-XML; micrometres where no unit stands."""
    found = _pixels(text)
    steps = {axis.lower(): _physical(found, axis) for axis in "ZYX"}
    if not steps["z"][0]:
        steps["z"] = steps["y"]
    size, unit = size_in_one_unit(steps)
    return (None, "pixel") if unit == "pixel" else (size, unit)


def _physical(pixels: Mapping[str, str], axis: str) -> tuple[float, str]:
    """Step along an axis, 0 where none stands, and its unit."""
    name = f"PhysicalSize{axis}"
    return float(pixels.get(name, 0)), pixels.get(f"{name}Unit", "µm")


def _imagej_voxels(words: Mapping[str, Any], tags: Any) -> tuple[Size | None, str]:
    unit = str(words.get("unit", ""))
    y, x = (_pixel_size(tags, name) for name in ("YResolution", "XResolution"))
    tall = (y, str(words.get("yunit", unit)))
    z = float(words.get("spacing") or 0)
    deep = (z, str(words.get("zunit", unit))) if z else tall
    size, unit = size_in_one_unit({"z": deep, "y": tall, "x": (x, unit)})
    return (None, "pixel") if unit in ("pixel", *INCHES) else (size, unit)


def _pixel_size(tags: Any, name: str) -> float:
    """Pixels per unit are written as a fraction; 0 where there is none."""
    value = tags[name].value if name in tags else None
    pixels, units = value if isinstance(value, tuple) and len(value) == 2 else (0, 1)
    return float(units / pixels) if pixels else 0.0


def _scaled(
    size: Size, axes: str, full: tuple[int, ...], coarse: tuple[int, ...]
) -> Size:
    """Voxel size of a coarser level."""
    factors = {
        LETTERS.get(a, a.lower()): n / m
        for a, n, m in zip(axes, full, coarse, strict=True)
    }
    z, y, x = (s * factors.get(a, 1.0) for a, s in zip("zyx", size, strict=True))
    return z, y, x
