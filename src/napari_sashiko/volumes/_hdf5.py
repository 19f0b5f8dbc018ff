"""HDF5 and NeXus, by h5py: one dataset, read by regions."""

from pathlib import Path
from typing import Any

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found, known_size
from napari_sashiko.volumes._optional import need

SIZE = "element_size_um"  # voxel size z, y, x, as ilastik and others write it
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
    size, unit = _spacing(dataset)
    found = known_size(size) if len(size) == 3 else None
    return Found(dataset, None, found, unit if found else "pixel")


def _spacing(dataset: Any) -> tuple[tuple[float, ...], str]:
    """Voxel size and unit: an attribute, or what the axes of NeXus say."""
    size = dataset.attrs.get(SIZE)
    if size is not None:
        return tuple(float(s) for s in size), "um"
    names = dataset.parent.attrs.get("axes", ())
    axes = [dataset.parent.get(_text(name)) for name in names]
    units = {_text(axis.attrs.get("units", "")) for axis in axes if axis is not None}
    if len(axes) != dataset.ndim or None in axes or len(units) != 1:
        return (), "pixel"
    return tuple(_step(axis) for axis in axes), units.pop()


def _text(words: Any) -> str:
    """Text of an attribute; some programs write bytes."""
    return words.decode() if isinstance(words, bytes) else str(words)


def _step(axis: Any) -> float:
    """Distance of two places on an axis."""
    if axis.ndim != 1 or len(axis) < 2:
        return 0.0
    return abs(float(axis[-1]) - float(axis[0])) / (len(axis) - 1)


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
    group = file
    while "default" in group.attrs and group.attrs["default"] in group:
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
