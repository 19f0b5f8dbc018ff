"""NumPy files: ``.npy`` mapped into memory, ``.npz`` read as a whole."""

from pathlib import Path

import numpy as np

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found

FIRST = "image"  # taken from a ``.npz`` with several arrays


def open_npy(path: Path, _ask: Ask) -> Found:
    """Map the array into memory."""
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise VolumeError(f"{path} is not a NumPy file, or it is damaged.")
    return Found(np.load(path, mmap_mode="r", allow_pickle=False))


def open_npz(path: Path, ask: Ask) -> Found:
    """Read one array: the named one, ``image``, or the only one.

    Raises
    ------
    VolumeError
        If it is not clear which one.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            raise VolumeError(f"{path} is not a NumPy archive, or it is damaged.")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names = list(arrays)
        name = ask.dataset or (FIRST if FIRST in names else None)
        if name is None and len(names) == 1:
            name = names[0]
        if not names:
            raise VolumeError(f"{path.name} holds no array.", "Save it again.")
        if name not in names:
            what = "several arrays" if ask.dataset is None else f"no {name!r}"
            raise VolumeError(
                f"{path.name} holds {what}.", f"Name one of: {', '.join(names)}."
            )
        return Found(arrays[name])
