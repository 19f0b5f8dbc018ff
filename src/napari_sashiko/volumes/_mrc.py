"""MRC (electron tomography), by mrcfile: mapped into memory, voxel size in angstrom."""

import warnings
from pathlib import Path
from typing import Any

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found, known_size
from napari_sashiko.volumes._optional import need

USUAL = (3, 2, 1)  # z, y, x as a header counts axes


def open_mrc(path: Path, _ask: Ask) -> Found:
    """Map an MRC volume or image into memory, its axes in the order z, y, x.

    Of a stack of volumes the file does not say what the first axis is.

    Raises
    ------
    VolumeError
        If it holds no data, or its header names impossible axes.
    """
    mrcfile = need("mrcfile", path)
    with warnings.catch_warnings():
        # Many programs write headers that are slightly wrong; the data are fine.
        warnings.simplefilter("ignore", RuntimeWarning)
        with mrcfile.mmap(path, mode="r", permissive=True) as file:
            array, size, header = file.data, file.voxel_size, file.header
    if array is None:
        raise VolumeError(f"{path} is damaged: no data fit its header.")
    array = _turned(array, _stored(path, header))
    found = known_size((float(size.z or size.y), float(size.y), float(size.x)))
    unit = "pixel" if found is None else "angstrom"
    axes = "zyx"[-array.ndim :] if array.ndim < 4 else None
    return Found(array, axes, found, unit)


def _stored(path: Path, header: Any) -> tuple[int, int, int]:
    """Axes of sections, rows and columns; old programs leave them 0: as usual."""
    stored = int(header.maps), int(header.mapr), int(header.mapc)
    if stored == (0, 0, 0):
        return USUAL
    if sorted(stored) != sorted(USUAL):
        columns_first = ", ".join(str(axis) for axis in reversed(stored))
        raise VolumeError(
            f"{path} has the axes {columns_first} in its header (mapc, mapr, maps).",
            "They must be 1, 2 and 3 in any order: mend the header, or export anew.",
        )
    return stored


def _turned(array: Any, stored: tuple[int, int, int]) -> Any:
    """View an array with its last axes as z, y, x; an image may lie along z."""
    if array.ndim == 2 and stored[0] != USUAL[0]:
        array = array[None]
    ours = stored[-array.ndim :]
    order = [ours.index(axis) for axis in USUAL if axis in ours]
    before = array.ndim - len(order)
    return array.transpose(*range(before), *(before + place for place in order))
