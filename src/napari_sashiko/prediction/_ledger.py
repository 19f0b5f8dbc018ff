"""Which cells are finished: one byte each, set after the cell is on disk.

Strategy: the ledger is a plain zarr array of one uncompressed chunk, so that any zarr
reader can show it. One byte is written in place: that needs no room on a full disk, is
never half done, and survives the death of the process.
"""

from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zarr

from napari_sashiko.volumes import reading

NAME = "ledger"


class Ledger:
    """The finished cells of one prediction.

    Parameters
    ----------
    path : Path
        The prediction's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._reading():
            array = zarr.open_array(str(path / NAME), mode="r")
        self.shape = array.shape
        self._file = path / NAME / "c" / "/".join("0" * array.ndim)

    def finished(self) -> npt.NDArray[np.bool_]:
        """Cells that are on disk, shape of the cell grid."""
        with self._reading():
            marks = np.fromfile(self._file, np.uint8).reshape(self.shape)
        return np.asarray(marks == 1)

    def _reading(self) -> AbstractContextManager[None]:
        return reading(
            f"The ledger of the prediction {self._path}",
            "Predict it again, with overwrite.",
        )

    def mark(self, index: tuple[int, int, int]) -> None:
        """Note that cell `index` is on disk."""
        where = int(np.ravel_multi_index(index, self.shape))
        with self._file.open("r+b", buffering=0) as file:
            file.seek(where)
            file.write(b"\x01")


def create_ledger(group: zarr.Group, shape: tuple[int, int, int]) -> None:
    """Add an empty ledger for a grid of `shape` cells to a prediction."""
    array = group.create_array(
        NAME,
        shape=shape,
        chunks=shape,
        dtype="uint8",
        compressors=None,
        filters=None,
        fill_value=255,  # so that the chunk of zeros is really written
        dimension_names=("z", "y", "x"),
    )
    array[...] = np.zeros(shape, np.uint8)
