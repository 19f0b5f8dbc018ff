"""What a reader of one format hands over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.volumes.frames import Time
from napari_sashiko.volumes.units import converted, short_unit

Size = tuple[float, float, float]


@dataclass(frozen=True)
class Found:
    """An array in a file, and what the file says about it.

    Attributes
    ----------
    array : array-like
        Read when it is sliced.
    axes : str, optional
        One letter of ``tczyx`` per axis; None where the file does not say.
    voxel_size : tuple of float, optional
        (z, y, x) in `unit`; None where the file does not say.
    unit : str
        ``"pixel"`` when unknown.
    separate : bool
        Whether slices are pictures of their own.
    time : Time, optional
        What lies between two time points; None where the file does not say.
    levels : int
        Of the image pyramid that the array is of; 1 where there is none.
    """

    array: Any
    axes: str | None = None
    voxel_size: Size | None = None
    unit: str = "pixel"
    separate: bool = False
    time: Time | None = None
    levels: int = 1


@dataclass(frozen=True)
class Ask:
    """What a user may say beside the path.

    Attributes
    ----------
    dataset : str, optional
        Name of the array in files that hold several.
    level : int
        Of an image pyramid; 0 is the finest.
    axes : str, optional
        One letter of ``tczyx`` per axis.
    without : tuple of str
        Pictures of a folder that are left out, as paths in it.
    """

    dataset: str | None = None
    level: int = 0
    axes: str | None = None
    without: tuple[str, ...] = ()


def known_size(size: tuple[float, ...]) -> Size | None:
    """Return (z, y, x) if all are finite and positive; some programs write zeros."""
    if not (np.isfinite(size).all() and np.greater(size, 0).all()):
        return None
    z, y, x = (float(s) for s in size)
    return z, y, x


def size_in_one_unit(
    steps: Mapping[str, tuple[float, str]],
) -> tuple[Size | None, str]:
    """Voxel size in the unit of x; unknown where an axis has no length beside it.

    Parameters
    ----------
    steps : mapping of str to (float, str)
        Step and unit of the axes z, y and x.

    Returns
    -------
    tuple of float or None
        (z, y, x).
    str
        ``"pixel"`` when unknown.
    """
    unit = short_unit(steps["x"][1])
    sizes = [converted(*steps[letter], to=unit) for letter in "zyx"]
    known = tuple(size for size in sizes if size is not None)
    size = known_size(known) if len(known) == len(sizes) else None
    return (None, "pixel") if size is None else (size, unit)


def known_time(step: float, unit: str) -> Time | None:
    """Return the time between two frames, if it is finite and positive."""
    name = short_unit(unit)
    if not (np.isfinite(step) and step > 0):
        return None
    return Time(float(step), "" if name == "pixel" else name)


class Fetched:
    """An array whose boxes come from a function; for formats without slices.

    Parameters
    ----------
    shape, dtype
        Of the array.
    fetch : callable
        From an index of slices and numbers to an array.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, fetch: Any) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._fetch = fetch

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a box."""
        return np.asarray(self._fetch(key))
