"""Pictures: single PNG or JPEG files, and folders with one file a slice."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found
from napari_sashiko.volumes._tiff import voxels_of_tiff

TIFF = (".tif", ".tiff")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
KEPT_BYTES = 1 << 28  # of slices that are read lately
COPIED_BYTES = 1 << 23  # a mapping keeps its file open: larger slices alone are mapped


def open_picture(path: Path, _ask: Ask) -> Found:
    """Read one picture."""
    picture = _read(path)
    return Found(picture, "yxc" if picture.ndim == 3 else "yx")


def open_folder(path: Path, _ask: Ask) -> Found:
    """Open a folder of slices; the numbers in the names give the order.

    Raises
    ------
    VolumeError
        If there are no pictures in it, or several kinds.
    """
    files = [f for f in path.iterdir() if _is_slice(f)]
    kinds = {TIFF[0] if _is_tiff(f) else f.suffix.lower() for f in files}
    if not kinds:
        raise VolumeError(
            f"There are no slices in the folder {path}.",
            f"It may hold one file a slice: {', '.join(TIFF + PICTURES)}.",
        )
    if len(kinds) > 1:
        raise VolumeError(
            f"The folder {path} holds several kinds of pictures: "
            f"{', '.join(sorted(kinds))}.",
            "Leave only the slices of one volume in it.",
        )
    files.sort(key=number_in_name)
    stack = Stack(files)
    size, unit = voxels_of_tiff(files[0]) if _is_tiff(files[0]) else (None, "pixel")
    return Found(stack, "zyxc" if len(stack.shape) == 4 else "zyx", size, unit)


class Stack:
    """Slices in files as one array.

    Parameters
    ----------
    files : sequence of Path
        In order of z; all of the same shape.

    Raises
    ------
    VolumeError
        If the first file is not a single slice.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()
        first = _read(files[0])
        if first.ndim != 2 and (first.ndim != 3 or first.shape[-1] not in (3, 4)):
            raise VolumeError(
                f"{files[0]} has shape {first.shape}; a slice was expected.",
                "Open that file itself, or leave one slice in each file.",
            )
        self.dtype = first.dtype
        self.shape = (len(files), *first.shape)
        self._most = max(1, KEPT_BYTES // max(first.nbytes, 1))

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read a box; only its slices are opened."""
        numbers = range(len(self._files))[key[0]]
        if isinstance(numbers, int):
            return np.asarray(self._slice(numbers)[key[1:]])
        return np.stack([self._slice(number)[key[1:]] for number in numbers])

    def _slice(self, number: int) -> NDArray[Any]:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        picture = _read(self._files[number])
        if picture.shape != self.shape[1:] or picture.dtype != self.dtype:
            raise VolumeError(
                f"{self._files[number]} is {picture.dtype} of shape {picture.shape}, "
                f"the first slice {self.dtype} of shape {self.shape[1:]}."
            )
        with self._lock:
            self._kept[number] = picture
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return picture


def _read(path: Path) -> NDArray[Any]:
    if not _is_tiff(path):
        from imageio.v3 import imread  # noqa: PLC0415 - only where pictures are read

        try:
            return np.asarray(imread(path, plugin="pillow"))
        except OSError as error:
            if error.errno:  # not there, not allowed
                raise
            raise VolumeError(f"{path} is not a picture, or it is damaged.") from error
    try:
        mapped = tifffile.memmap(path, mode="r")
    except ValueError:  # packed
        return np.asarray(tifffile.imread(path))
    return np.array(mapped) if mapped.nbytes <= COPIED_BYTES else np.asarray(mapped)


def _is_slice(path: Path) -> bool:
    """Whether a file may be a slice; macOS puts hidden companions beside files."""
    known = path.suffix.lower() in TIFF + PICTURES
    return known and not path.name.startswith(".")


def _is_tiff(path: Path) -> bool:
    return path.suffix.lower() in TIFF


def number_in_name(path: Path) -> list[tuple[int, str]]:
    """Sort slice_2 before slice_10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
