"""Write whole chunks of an OME-Zarr image of ours, without zarr's detours.

zarr copies a chunk several times and hands it through an event loop that all writing
threads share: measured, 0.2 GB/s where the codec alone does 4. The bytes are the same.
"""

import math
import struct
from pathlib import Path
from typing import Any
from uuid import uuid4

from numcodecs import Blosc
from numpy.typing import NDArray

from napari_sashiko.volumes.ome_zarr import COMPRESSION

HEADER = 16  # bytes before the content that Blosc has packed
SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}


class ChunkWriter:
    """Write chunks of an array made by `create_ome_image`; threads may share it.

    Parameters
    ----------
    path : Path
        Folder of the array.
    array : zarr.Array
        The same array, open.
    """

    def __init__(self, path: Path, array: Any) -> None:
        self._path = path
        self._key = array.metadata.encode_chunk_key
        self._codec = Blosc(
            cname=COMPRESSION["cname"],
            clevel=COMPRESSION["clevel"],
            shuffle=SHUFFLES[COMPRESSION["shuffle"]],
        )
        self.shape: tuple[int, ...] = array.chunks
        self.dtype = array.dtype
        self._bytes = math.prod(self.shape) * int(self.dtype.itemsize)

    def path(self, index: tuple[int, ...]) -> Path:
        """File of a chunk, which is not there if all of it is 0."""
        return self._path / str(self._key(index))

    def is_torn(self, index: tuple[int, ...]) -> bool:
        """Whether the file of a chunk is there and is not what was written.

        Its first bytes say how long it is and how much it holds.
        """
        path = self.path(index)
        try:
            with path.open("rb") as file:
                head = file.read(HEADER)
            size = path.stat().st_size
        except FileNotFoundError:
            return False
        if len(head) < HEADER:
            return True
        held, _, length = struct.unpack("<III", head[4:])
        return (held, length) != (self._bytes, size)

    def write(self, index: tuple[int, ...], values: NDArray[Any]) -> int:
        """Write one chunk.

        Parameters
        ----------
        index : tuple of int
            Place in the grid of chunks.
        values : numpy.ndarray
            C-contiguous, of the shape and type of a chunk; what lies beyond the array
            is 0.

        Returns
        -------
        int
            Bytes on disk.
        """
        path = self.path(index)
        if not (values.item(0) or values.any()):  # what is not there reads as 0
            path.unlink(missing_ok=True)
            return 0
        content = self._codec.encode(values)
        # Named as zarr does: no two processes share it, `remove_torn` knows it.
        part = path.with_name(f"{path.name}.{uuid4().hex}.partial")
        try:
            part.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        part.replace(path)  # who reads meanwhile sees all of it or nothing
        return len(content)


def padded(values: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Copy `values` into the low corner of `out`, converted; the rest becomes 0."""
    corner = tuple(slice(0, size) for size in values.shape)
    if values.shape != out.shape:
        out.fill(0)
    out[corner] = values
    return out
