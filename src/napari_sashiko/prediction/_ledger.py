"""Which cells are finished: one byte each, set after the cell is on disk.

Strategy: the ledger is a plain zarr array of one uncompressed chunk, so that any zarr
reader can show it. One byte is written in place: that needs no room on a full disk, is
never half done, and survives the death of the process. Beside it, and before it, the
bytes that a cell takes on disk are noted: chunks of zeros are not written, so that only
this number tells a chunk that was lost from one that never was.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from napari_sashiko.volumes import reading, write_file

NAME, STORED = "ledger", "stored"
DONE, OPEN = b"\x01", b"\x00"
WIDTH = 8  # bytes of a number of bytes
Index = tuple[int, int, int]


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
        self.shape: tuple[int, ...] = array.shape
        self.file = _chunk(path / NAME, array.ndim)
        self._stored = _chunk(path / STORED, array.ndim)

    def finished(self) -> npt.NDArray[np.bool_]:
        """Cells that are on disk, shape of the cell grid."""
        return np.asarray(self.marks() == 1)

    def marks(self) -> npt.NDArray[np.uint8]:
        """Bytes as they stand: 1 is finished, 0 is not, all others are damage."""
        with self._reading():
            return np.fromfile(self.file, np.uint8).reshape(self.shape)

    def stored(self) -> npt.NDArray[np.uint64] | None:
        """Bytes on disk of each finished cell; None in predictions from before."""
        try:
            return np.fromfile(self._stored, "<u8").reshape(self.shape)
        except (OSError, ValueError):
            return None

    def mark(self, index: Index, size: int) -> None:
        """Note that cell `index` is on disk and takes `size` bytes there."""
        where = self._place(index)
        if self._stored.exists():
            _put(self._stored, WIDTH * where, size.to_bytes(WIDTH, "little"))
        _put(self.file, where, DONE)

    def unmark(self, index: Index) -> None:
        """Note that cell `index` has to be done again."""
        _put(self.file, self._place(index), OPEN)

    def clear(self) -> None:
        """Write the marks anew: nothing is finished."""
        write_file(self.file, bytes(int(np.prod(self.shape))))

    def cells(self) -> Iterator[Index]:
        """Places of all cells in the grid."""
        z, y, x = self.shape
        yield from product(range(z), range(y), range(x))

    def _place(self, index: Index) -> int:
        return int(np.ravel_multi_index(index, self.shape))

    def _reading(self) -> AbstractContextManager[None]:
        return reading(
            f"The ledger of the prediction {self._path}",
            "Start the prediction again: it looks which blocks are whole.",
        )


def create_ledger(
    group: zarr.Group,
    shape: tuple[int, int, int],
    names: Sequence[str] = (NAME, STORED),
) -> None:
    """Add an empty ledger for a grid of `shape` cells to a prediction."""
    kinds: dict[str, np.dtype[Any]] = {
        NAME: np.dtype(np.uint8),
        STORED: np.dtype("<u8"),
    }
    for name in names:
        _create(group, name, shape, kinds[name])


def _create(group: zarr.Group, name: str, shape: Index, dtype: np.dtype[Any]) -> None:
    array = group.create_array(
        name,
        shape=shape,
        chunks=shape,
        dtype=dtype,
        compressors=None,
        filters=None,
        fill_value=np.iinfo(dtype).max,  # so that the chunk of zeros is really written
        dimension_names=("z", "y", "x"),
    )
    array[...] = np.zeros(shape, dtype)


def _chunk(folder: Path, axes: int) -> Path:
    return folder / "c" / "/".join("0" * axes)


def _put(path: Path, where: int, content: bytes) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(where)
        file.write(content)
