"""An array with any axes, seen as slices: ``([C,] Z, Y, X)``, frames along Z."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Part = int | slice


class Slices:
    """Read and write an array by boxes of slices, whatever axes it has.

    Where there are t and z, frames follow each other along Z. Where there is t and no
    z, every time point is a slice.

    Parameters
    ----------
    array : array-like
        Anything with ``shape``, ``dtype`` and slicing.
    axes : str, optional
        One letter of ``tczyx`` per axis; what an array of ours says itself if left out.

    Attributes
    ----------
    shape : tuple of int
        ``([C,] Z, Y, X)``: C only where the array has channels.
    frames, depth : int
        Time points that are not slices themselves, and slices of each.
    """

    def __init__(self, array: Any, axes: str | None = None) -> None:
        axes = axes or "".join(array.metadata.dimension_names)
        self.array = array
        self._axes = axes if "z" in axes else axes.replace("t", "z")
        sizes = dict(zip(self._axes, array.shape, strict=True))
        self.depth = int(sizes.get("z", 1))
        self.frames = int(sizes.get("t", 1))
        self._order = "czyx" if "c" in axes else "zyx"
        deep = (self.depth * self.frames, int(sizes["y"]), int(sizes["x"]))
        early = (int(sizes["c"]),) if "c" in axes else ()
        self.shape: tuple[int, ...] = (*early, *deep)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(array.dtype)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Chunk along each axis of `shape`, where all chunks are of one size."""
        chunks = getattr(self.array, "chunks", None)
        if not chunks or not all(isinstance(size, int) for size in chunks):
            return None  # Dask's chunks are tuples, and made by work
        sizes = dict(zip(self._axes, chunks, strict=True))
        return tuple(int(sizes.get(axis, 1)) for axis in self._order)

    def __getitem__(self, key: tuple[Part, ...]) -> NDArray[Any]:
        """Read a box: a slice for each of z, y and x; a channel, or some."""
        *channel, z, y, x = key
        blocks = [
            self._in_order(self.array[self._key(channel, frame, deep, y, x)], channel)
            for frame, deep, _ in self._pieces(z)
        ]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-3)

    def __setitem__(self, key: tuple[Part, ...], values: NDArray[Any]) -> None:
        """Write a box, of an array whose axes are in the order ``tczyx``."""
        *channel, z, y, x = key
        for frame, deep, rows in self._pieces(z):
            block = values[..., rows, :, :]
            flat = block if "z" in self._axes else block[..., 0, :, :]
            self.array[self._key(channel, frame, deep, y, x)] = flat

    def _pieces(self, z: Part) -> Iterator[tuple[int, slice, slice]]:
        """Frame, slices in it, and where these are in the box."""
        if not isinstance(z, slice):
            raise TypeError("Slices are read by slices, not by numbers.")
        low, high, _ = z.indices(self.depth * self.frames)
        if low >= high:  # nothing is wanted: of any frame
            yield 0, slice(0, 0), slice(0, 0)
        for frame in range(low // self.depth, -(-high // self.depth)):
            first = frame * self.depth
            start, stop = max(low, first), min(high, first + self.depth)
            yield (
                frame,
                slice(start - first, stop - first),
                slice(start - low, stop - low),
            )

    def _key(
        self, channel: list[Part], frame: int, deep: slice, y: Part, x: Part
    ) -> tuple[Part, ...]:
        places: dict[str, Part] = {"t": frame, "z": deep, "y": y, "x": x}
        if channel:
            places["c"] = channel[0]
        return tuple(places[axis] for axis in self._axes)

    def _in_order(self, block: Any, channel: list[Part]) -> NDArray[Any]:
        """Bring what was read into the order of `shape`; z is always there."""
        values = np.asarray(block)
        one = bool(channel) and not isinstance(channel[0], slice)
        gone = "tc" if one else "t"
        left = [axis for axis in self._axes if axis not in gone]
        if "z" not in left:
            values = values[None]
            left.insert(0, "z")
        wanted = [axis for axis in self._order if axis in left]
        return values.transpose([left.index(axis) for axis in wanted])
