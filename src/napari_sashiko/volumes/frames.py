"""Frames: slices that belong together, in a stack of slices that need not.

A plain volume is one frame. Pictures of their own are frames of one slice. A volume at
many times is a frame for each time point, one after the other along Z: inside the
program space is always ``(Z, Y, X)``. Nothing that looks at neighbours looks from one
frame into the next. On disk, and in a viewer, time is an axis of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
KEY_FRAME, KEY_TIME = "frame", "time"  # in records of results; missing in most


@dataclass(frozen=True)
class Time:
    """What lies between two time points.

    Attributes
    ----------
    step : float
        In `unit`.
    unit : str
        Empty when unknown: then `step` counts frames.
    """

    step: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Stacking:
    """How a stack of slices falls into frames, and how it lies on disk.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X), all frames one after the other.
    frame : int, optional
        Slices of a frame; None where all belong together.
    flat : bool
        Whether arrays on disk have no z axis.
    time : Time, optional
        Of frames that are time points: arrays on disk have a t axis.
    """

    shape: tuple[int, int, int]
    frame: int | None = None
    flat: bool = False
    time: Time | None = None

    @property
    def depth(self) -> int:
        """Slices of a frame."""
        return self.frame or self.shape[0]

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.shape[0] // self.depth

    @property
    def planar(self) -> bool:
        """Whether each frame is an image: what lies in it has an area, no volume."""
        return self.flat or self.frame == 1

    @property
    def axes(self) -> str:
        """Letters of the axes on disk, without channels."""
        return ("" if self.time is None else "t") + ("yx" if self.flat else "zyx")

    @property
    def axes_with_channels(self) -> str:
        """The same with channels, which come behind time."""
        return self.axes[:1] + "c" + self.axes[1:] if self.time else "c" + self.axes

    @property
    def on_disk(self) -> tuple[int, ...]:
        """Shape of an array on disk, without channels."""
        deep = self.shape[0] if self.time is None else self.depth
        return self.lying(self.count, (deep, *self.shape[1:]))

    def told(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Word a shape (Z, Y, X) with the axes of this stack, for people to compare.

        Slices are counted by time point where they make up whole ones.
        """
        slices, *plane = (int(n) for n in shape)
        if self.time is not None and slices % self.depth == 0:
            return self.lying(slices // self.depth, (self.depth, *plane))
        single = self.time is None and self.flat and slices == 1
        return tuple(plane) if single else (slices, *plane)

    def lying(self, early: Any, deep: Sequence[Any]) -> tuple[Any, ...]:
        """Put an entry for t before those of z, y and x, as far as there are axes."""
        if self.time is None:
            return tuple(deep[1:] if self.flat else deep)
        return (early, *(deep[1:] if self.flat else deep))

    def box(self, region: Sequence[slice]) -> tuple[slice, ...]:
        """Where a region (z, y, x) of one frame lies in an array on disk."""
        z, y, x = region
        if self.time is None:
            return self.lying(None, (z, y, x))
        if self.flat:  # every slice is a time point
            return z, y, x
        frame = z.start // self.depth
        first = frame * self.depth
        deep = slice(z.start - first, z.stop - first), y, x
        return self.lying(slice(frame, frame + 1), deep)

    def region(self, box: Sequence[slice]) -> tuple[slice, slice, slice]:
        """Region (z, y, x) that a box of an array on disk is; of one frame."""
        *early, y, x = box
        if self.time is None or self.flat:
            return (early[0] if early else slice(0, 1)), y, x
        first = early[0].start * self.depth
        return slice(first + early[1].start, first + early[1].stop), y, x

    def point(self, coords: Sequence[float]) -> tuple[float, ...]:
        """Place of a voxel (z, y, x) in an array on disk."""
        z, y, x = coords
        if self.time is None:
            return self.lying(None, (z, y, x))
        frame = z // self.depth
        return self.lying(frame, (z - frame * self.depth, y, x))

    def coords(self, point: Sequence[float]) -> tuple[float, float, float]:
        """Voxel (z, y, x) at a place in an array on disk."""
        *early, y, x = point
        if self.time is None or self.flat:
            return (early[0] if early else 0.0), y, x
        frame, z = round(early[0]), min(max(early[1], 0), self.depth - 1)
        return frame * self.depth + z, y, x

    def scale(self, voxel_size: Sequence[float]) -> tuple[float, ...]:
        """Size of a voxel along each axis on disk, from that along z, y and x."""
        step = 1.0 if self.time is None else self.time.step
        return self.lying(step, tuple(voxel_size))

    def units(self, unit: str) -> tuple[str, ...]:
        """Unit of each axis on disk, from that of length."""
        step = "" if self.time is None else self.time.unit
        return self.lying(step or "pixel", (unit or "pixel",) * 3)

    def record(self) -> dict[str, Any]:
        """What a result says about it beside shape and flatness; mostly nothing."""
        known: dict[str, Any] = {}
        if self.frame is not None:
            known[KEY_FRAME] = self.frame
        if self.time is not None:
            known[KEY_TIME] = asdict(self.time)
        return known


def stacking_of(record: Mapping[str, Any]) -> Stacking:
    """Read what a result says about its slices.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it says nothing, or nonsense.
    """
    z, y, x = (int(size) for size in record["shape"])
    frame, time = record.get(KEY_FRAME), record.get(KEY_TIME)
    return Stacking(
        shape=(z, y, x),
        frame=None if frame is None else int(frame),
        flat=bool(record["flat"]),
        time=None if time is None else Time(float(time["step"]), str(time["unit"])),
    )


def spans(length: int, step: int, frame: int | None = None) -> list[Span]:
    """Cut a stack of slices into spans of at most `step`, none of two frames.

    >>> spans(10, 3, frame=5)
    [(0, 3), (3, 5), (5, 8), (8, 10)]
    """
    frame = frame or length
    return [
        (low, min(low + step, start + frame, length))
        for start in range(0, length, frame)
        for low in range(start, min(start + frame, length), step)
    ]


def frame_around(part: slice, length: int, frame: int | None = None) -> slice:
    """Slices of the frames that a part of a stack lies in."""
    if frame is None:
        return slice(0, length)
    low, high = part.start // frame * frame, -(-part.stop // frame) * frame
    return slice(low, min(high, length))


def frames_apart(coords: NDArray[Any], frame: int | None, gap: float) -> NDArray[Any]:
    """Move voxels so far along z that those of two frames are not near to each other.

    Parameters
    ----------
    coords : numpy.ndarray
        ``(N, 3)`` (z, y, x).
    frame : int or None
        Slices of a frame.
    gap : float
        Slices that are put between two frames, rounded up: all are further apart.

    Returns
    -------
    numpy.ndarray
        ``(N, 3)``, in the same order.
    """
    if frame is None:
        return coords
    moved = coords.copy()
    moved[:, 0] += coords[:, 0] // frame * int(np.ceil(gap))
    return moved
