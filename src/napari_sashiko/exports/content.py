"""What is exported of a result: an array on disk, and what is known about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import Stacking, reading

VOXELS = 1 << 21  # that are read at a time, or one chunk
Box = tuple[slice, ...]


@dataclass(frozen=True)
class Content:
    """An image as it will be written; voxels are read by boxes.

    Parameters
    ----------
    path : Path
        Folder of the image, ``NAME.zarr/classes``.
    title : str
        What it is, in a few words.
    array : zarr array
        ``([T,] [C,] [Z,] Y, X)``.
    dtype : str
        Of the voxels as they are handed out.
    stack : Stacking
        Which axes the array has, and what lies between two time points.
    voxel_size : tuple of float
        One per spatial axis, in `unit`.
    unit : str
        ``"pixel"`` when unknown.
    names : tuple of str
        Of the channels; empty where one image is written.
    each : str
        What a channel is, in a word.
    channel : int or None
        The channel of `array` that is that one image; None where it has none.
    note : str
        What the numbers mean, in a sentence or two.
    largest : int or None
        No voxel is larger; None where that is not known.
    """

    path: Path
    title: str
    array: Any
    stack: Stacking
    dtype: str
    voxel_size: tuple[float, ...]
    unit: str
    names: tuple[str, ...] = ()
    each: str = "class"
    channel: int | None = None
    note: str = ""
    largest: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels per axis as they will be written, ``([T,] [C,] [Z,] Y, X)``."""
        return tuple(int(size) for size in self._kept(self.array.shape))

    @property
    def axes(self) -> str:
        """One letter of ``TCZYX`` per axis."""
        early = "" if self.stack.time is None else "T"
        space = self.stack.axes.upper().removeprefix("T")
        return early + ("C" if self.names else "") + space

    @property
    def bytes(self) -> int:
        """Room that the voxels take as they are."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize

    def boxes(self) -> list[Box]:
        """Boxes of whole chunks that make up the image, one channel at a time."""
        edges = [int(size) for size in self._kept(self.array.chunks)]
        if self.names:
            edges[self._channel_axis] = 1
        # As many chunks along x as may be in memory: rows on disk get longer.
        edges[-1] *= max(1, VOXELS // prod(edges))
        return list(_boxes(self.shape, edges))

    def read(self, box: Box) -> NDArray[Any]:
        """Read a box of the image.

        Raises
        ------
        OutputError
            If the result is damaged there, or a number has no room in `dtype`.
        """
        at = self._channel_axis
        key = box if self.channel is None else (*box[:at], self.channel, *box[at:])
        again = "Mend it, with: sashiko mend; or make it again."
        with reading(f"The image {self.path}", again):
            values = np.asarray(self.array[key])
        if np.dtype(self.dtype).kind in "iu":
            self._check_room(int(values.max(initial=0)))
        return values.astype(self.dtype, copy=False)

    @property
    def _channel_axis(self) -> int:
        """Where channels are, or would be."""
        return 0 if self.stack.time is None else 1

    def _kept(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """Leave the axis of channels out, where one of them is written."""
        at = self._channel_axis
        return sides if self.channel is None else (*sides[:at], *sides[at + 1 :])

    def _check_room(self, largest: int) -> None:
        most = int(np.iinfo(self.dtype).max)
        if largest > most:
            raise OutputError(
                f"{self.title} have the number {largest}; the largest whole number of "
                f"this format is {most}.",
                "Write a TIFF, which holds all of them.",
            )


def _boxes(shape: tuple[int, ...], edges: list[int]) -> Iterator[Box]:
    starts = (range(0, n, edge) for n, edge in zip(shape, edges, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(start, min(start + edge, n))
            for start, edge, n in zip(corner, edges, shape, strict=True)
        )
