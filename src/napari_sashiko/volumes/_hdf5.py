"""HDF5 and NeXus, by h5py: one dataset, read by regions."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import (
    Ask,
    Found,
    Size,
    known_time,
    size_in_one_unit,
)
from napari_sashiko.volumes._optional import need

SIZE = "element_size_um"  # voxel size z, y, x, as ilastik and others write it
NO_AXIS = (".", "")  # NeXus: there is none
MOST_NAMES = 8


def open_hdf5(path: Path, ask: Ask) -> Found:
    """Open the named dataset, the one that NeXus calls default, or the only image.

    Raises
    ------
    VolumeError
        If it is not clear which one, or it is not there.
    """
    h5py = need("h5py", path)
    file = h5py.File(path, "r")
    try:
        dataset = _choose(h5py, path, file, ask.dataset)
    except BaseException:
        file.close()
        raise
    letters = _letters(dataset.ndim, ask.axes)
    steps = _steps(dataset, letters)
    size, unit = _size_of(steps)
    time = known_time(*steps["t"]) if "t" in steps else None
    return Found(dataset, None, size, unit, time=time)


def _letters(count: int, asked: str | None) -> str:
    """What each axis is; empty where only the user could say it, and has not."""
    if asked and len(asked) == count:
        return asked
    return "zyx"[-count:] if count <= 3 else ""


def _steps(dataset: Any, letters: str) -> dict[str, tuple[float, str]]:
    """Step and unit of each axis that is known by its letter."""
    size = dataset.attrs.get(SIZE)
    if size is None:
        named = zip(letters, _axes(dataset), strict=False)
        return {letter: _step(axis) for letter, axis in named if axis is not None}
    sizes = np.atleast_1d(size)
    if len(sizes) != dataset.ndim:  # of space alone, whatever other axes there are
        letters = "zyx"[-len(sizes) :]
    return {letter: (float(s), "um") for letter, s in zip(letters, sizes, strict=False)}


def _size_of(steps: dict[str, tuple[float, str]]) -> tuple[Size | None, str]:
    """Voxel size; a depth that nobody tells is the height, as in other formats."""
    if not {"y", "x"} <= set(steps):
        return None, "pixel"
    return size_in_one_unit({"z": steps["y"]} | steps)


def _axes(dataset: Any) -> list[Any]:
    """Places on each axis, as NeXus names them; None where it is only counted."""
    names = [
        _text(name) for name in np.atleast_1d(dataset.parent.attrs.get("axes", []))
    ]
    found = [None if name in NO_AXIS else dataset.parent.get(name) for name in names]
    if len(found) != dataset.ndim:
        return []
    return [axis if _is_scale(axis) else None for axis in found]


def _is_scale(axis: Any) -> bool:
    """Whether it is a list of places, and no group or picture of that name."""
    return getattr(axis, "ndim", 0) == 1 and axis.dtype.kind in "iuf" and len(axis) > 1


def _text(words: Any) -> str:
    """Text of an attribute; some programs write bytes."""
    return words.decode() if isinstance(words, bytes) else str(words)


def _step(axis: Any) -> tuple[float, str]:
    """Distance of two places on an axis, and its unit."""
    step = abs(float(axis[-1]) - float(axis[0])) / (len(axis) - 1)
    return step, _text(axis.attrs.get("units", ""))


def _choose(h5py: Any, path: Path, file: Any, name: str | None) -> Any:
    if name is None:
        name = _default(h5py, file)
    if name is not None:
        if isinstance(file.get(name), h5py.Dataset):
            return file[name]
        raise VolumeError(f"{path.name} has no dataset {name!r}.", _names(h5py, file))
    images = _images(h5py, file)
    if len(images) != 1:
        what = "several images" if images else "no image"
        raise VolumeError(f"{path.name} holds {what}.", _names(h5py, file))
    return file[images[0]]


def _default(h5py: Any, file: Any) -> str | None:
    """Follow NeXus: attributes ``default`` from group to group, then ``signal``."""
    group, seen = file, set()
    # A default may be "." or lead back to a group above.
    while group not in seen and group.attrs.get("default", "") in group:
        seen.add(group)
        group = group[group.attrs["default"]]
        if isinstance(group, h5py.Dataset):
            return str(group.name)
    signal = group.attrs.get("signal")
    known = signal is not None and signal in group
    return f"{group.name}/{_text(signal)}" if known else None


def _images(h5py: Any, file: Any) -> list[str]:
    names: list[str] = []

    def look(name: str, item: Any) -> None:
        if (
            isinstance(item, h5py.Dataset)
            and item.ndim > 1
            and item.dtype.kind in "biuf"
        ):
            names.append(name)

    file.visititems(look)
    return names


def _names(h5py: Any, file: Any) -> str:
    names = _images(h5py, file)
    if not names:
        return "It has no dataset of numbers with two or more axes."
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f"Name one of: {', '.join(names[:MOST_NAMES])}{more}."
