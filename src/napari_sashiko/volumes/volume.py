"""A volume: an image of any size behind one small interface."""

import hashlib
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes.frames import Stacking, Time, frame_around
from napari_sashiko.volumes.region import Region, Shape
from napari_sashiko.volumes.slices import Slices
from napari_sashiko.volumes.units import short_unit

DIGEST_EDGE = 32
KINDS = "biuf"
COLOURS = (3, 4)  # channels of pictures in colour
# What readers and decoders raise on damaged data.
UNREADABLE = (OSError, ValueError, RuntimeError, IndexError, EOFError, zlib.error)


class Volume:
    """An image that is read by regions, never as a whole.

    Parameters
    ----------
    array : array-like
        Anything with ``shape``, ``dtype`` and slicing.
    axes : str
        One letter of ``tczyx`` per axis of the array.
    voxel_size : tuple of float
        (z, y, x) in `unit`; all positive.
    unit : str
        ``"pixel"`` when unknown; other spellings become short (``"um"``).
    name : str
        For people.
    path : Path, optional
        Where it was read from.
    source : dict, optional
        JSON from which a worker opens it again; None for arrays in memory.
    separate : bool
        Whether slices are pictures of their own, not neighbours in space.
    time : Time, optional
        What lies between two time points; only of an image that has several.

    Attributes
    ----------
    axes : str
        One letter of ``tczyx`` per axis of the array.
    shape : tuple of int
        (Z, Y, X); Z = 1 for a 2D image. Frames of a time series follow each other
        along Z.
    frame : int or None
        Slices that belong together: those of one time point, or one where each is a
        picture of its own; None where all do. Nobody looks from one frame to another.
    time : Time or None
        Of an image with several time points.
    channels : int
        Number of channels.
    dtype, stored : numpy.dtype
        Of what is read; of the array.
    colour : bool
        Whether the channels are colours: three or four, behind all other axes.
    flat : bool
        Whether the image is 2D, or 2D at several times.
    levels : int
        Of the image pyramid that it was opened from; 1 where there is none.

    Raises
    ------
    VolumeError
        If the axes do not fit, the dtype is no number, an axis is empty, or the voxel
        size is not positive.
    """

    levelled = False  # whether each picture was brought to one mean and contrast

    def __init__(
        self,
        array: Any,
        *,
        axes: str,
        voxel_size: Sequence[float] = (1.0, 1.0, 1.0),
        unit: str = "pixel",
        name: str = "volume",
        path: Path | None = None,
        source: dict[str, Any] | None = None,
        separate: bool = False,
        time: Time | None = None,
    ) -> None:
        _check(array, axes, name)
        sizes = dict(zip(axes, array.shape, strict=True))
        self._array = array
        self.axes = axes
        self._slices = Slices(array, axes)
        self.dtype = self.stored = np.dtype(array.dtype).newbyteorder("=")
        z, y, x = self._slices.shape[-3:]
        self.shape: Shape = (z, y, x)
        self.channels = int(sizes.get("c", 1))
        self.colour = axes.endswith("c") and self.channels in COLOURS
        self.flat = "z" not in axes
        self.levels = 1
        self.frame: int | None = 1 if separate else None
        self.time: Time | None = None
        if sizes.get("t", 1) > 1:
            self.time = time or Time()
            self.frame = int(sizes.get("z", 1))
        self.voxel_size = _checked_size(voxel_size, name)
        self.unit = short_unit(unit)
        self.name = name
        self.path = path
        self.source = source

    @property
    def separate(self) -> bool:
        """Whether slices are pictures of their own, not neighbours in space."""
        return self.frame == 1

    @property
    def in_memory(self) -> bool:
        """Whether the array is NumPy's own, which is read at once."""
        return isinstance(self._array, np.ndarray)

    @property
    def stacking(self) -> Stacking:
        """How its slices fall into frames, and how results of it lie on disk."""
        return Stacking(self.shape, self.frame, self.flat, self.time)

    def around(self, region: Region) -> Region:
        """All voxels that may be seen together with those of a region."""
        deep = frame_around(region[0], self.shape[0], self.frame)
        return deep, slice(0, self.shape[1]), slice(0, self.shape[2])

    @property
    def chunk(self) -> Shape | None:
        """Chunk in voxels (z, y, x), if the array is stored in equal chunks."""
        chunks, held = self._slices.chunks, self._slices
        if chunks is None:
            return None
        z, y, x = chunks[-3:]
        # Where frames end within chunks, these are not one as long as the other.
        return None if held.frames > 1 and held.depth % z else (z, y, x)

    def taken_as(self, axes: str) -> "Volume":
        """The same voxels, with the axes of the array taken for others.

        Parameters
        ----------
        axes : str
            One letter of ``tczyx`` per axis of the array.

        Raises
        ------
        VolumeError
            If there are not as many.
        """
        other = Volume(
            self._array,
            axes=axes,
            voxel_size=self.voxel_size,
            unit=self.unit,
            name=self.name,
            path=self.path,
            source=self.source and {**self.source, "axes": axes},
            time=self.time,
        )
        other.levels = self.levels
        return other

    def read(self, region: Region, channels: slice | None = None) -> NDArray[Any]:
        """Read a region as ``(C, z, y, x)`` in native byte order, bool as uint8.

        Parameters
        ----------
        region : Region
            Voxels (z, y, x).
        channels : slice, optional
            Which of them; all if left out.

        Raises
        ------
        VolumeError
            If the file is damaged there, or gone.
        """
        try:
            block = self._slices[(*self._channels(channels), *region)]
        except UNREADABLE as error:
            box = ", ".join(f"{side.start}-{side.stop}" for side in region)
            raise VolumeError(
                f"Voxels {box} of {self.name!r} cannot be read: "
                f"{str(error).rstrip('.') or type(error).__name__}.",
                "The file may be damaged or gone.",
            ) from error
        block = block if self._slices.ndim > 3 else block[None]
        dtype = np.dtype(np.uint8) if self.dtype == bool else self.dtype
        return np.array(block, dtype=dtype, order="C")

    def extent(self, z: int) -> tuple[int, int]:
        """Height and width of a slice: less than `shape` for a smaller picture.

        What lies beyond is its mirror image, which nobody is to learn from.
        """
        known = getattr(self._array, "extents", None)
        height, width = self.shape[1:] if known is None else known[z]
        return int(height), int(width)

    def fitted(self, corner: Sequence[int], size: Sequence[int]) -> Region:
        """Move a box that was drawn anywhere in the volume into the picture there.

        Where all slices are as large as the volume, it stays where it is.

        Parameters
        ----------
        corner, size : sequence of int
            (z, y, x) of the box, which lies in `shape`.

        Returns
        -------
        Region
            Smaller than the box where the picture is.
        """
        z = int(corner[0])
        parts = [slice(z, z + int(size[0]))]
        for low, side, n, own in zip(
            corner[1:], size[1:], self.shape[1:], self.extent(z), strict=True
        ):
            # Each place that the picture has is as likely as it was in the volume.
            room, places = n - side + 1, max(own - side + 1, 1)
            start = int(low) * places // max(room, 1)
            parts.append(slice(start, start + min(int(side), own)))
        return parts[0], parts[1], parts[2]

    def _channels(self, wanted: slice | None) -> tuple[slice, ...]:
        """Where channels are asked for: nowhere, if the array has no axis of them."""
        return (wanted or slice(None),) if self._slices.ndim > 3 else ()

    def digest(self) -> str:
        """Hash of shape, dtype, voxel size and a few blocks (hexadecimal)."""
        facts = (
            self.shape,
            self.channels,
            str(self.dtype),
            self.voxel_size,
            self.unit,
        )
        return self._digest(facts)

    def content_digest(self) -> str:
        """Hash as `digest`, whatever the voxel size is said to be."""
        return self._digest((self.shape, self.channels, str(self.dtype)))

    def _digest(self, facts: tuple[Any, ...]) -> str:
        digest = hashlib.sha256()
        if self.time is not None:  # the same slices in other frames are another image
            facts = (*facts, self.frame)
        digest.update(repr(facts).encode())
        known = getattr(self._array, "fingerprint", None)
        if known is not None:  # to read a block of it, whole files would be read
            digest.update(known)
            return digest.hexdigest()
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            starts = [int(max(n - DIGEST_EDGE, 0) * share) for n in self.shape]
            z, y, x = (
                slice(s, min(s + DIGEST_EDGE, n))
                for s, n in zip(starts, self.shape, strict=True)
            )
            digest.update(self.read((z, y, x)).tobytes())
        return digest.hexdigest()


def as_volume(
    array: Any,
    *,
    axes: str | None = None,
    unnamed: str | None = None,
    voxel_size: Sequence[float] | None = None,
    unit: str = "pixel",
    name: str = "volume",
    time: Time | None = None,
) -> Volume:
    """Wrap numpy, memmap, dask, zarr or a multiscale list (its finest level).

    Parameters
    ----------
    array : array-like
        Not copied.
    axes : str, optional
        One letter of ``tczyx`` per axis; ``yx`` or ``zyx`` when left out.
    unnamed : str, optional
        Axes when left out, if there are as many.
    voxel_size : sequence of float, optional
        (z, y, x) or (y, x) in `unit`; 1 when left out.
    unit, name : str
        For results and for people.
    time : Time, optional
        What lies between two time points.

    Raises
    ------
    VolumeError
        As `Volume`, and if the axes are not given and cannot be guessed.
    """
    finest = _finest(array)
    if axes is None and unnamed and len(unnamed) == len(finest.shape):
        axes = unnamed
    if axes is None:
        axes = _guess(finest, name)
    size = [1.0] * 3 if voxel_size is None else list(voxel_size)
    return Volume(
        finest,
        axes=axes,
        voxel_size=[1.0, *size] if len(size) == 2 else size,
        unit=unit,
        name=name,
        time=time,
    )


def _finest(array: Any) -> Any:
    """First level of a multiscale list; napari's has a shape of its own."""
    if isinstance(array, Sequence) and len(array) and hasattr(array[0], "dtype"):
        return array[0]
    if hasattr(array, "shape") and hasattr(array, "dtype"):
        return array
    return np.asarray(array)


def _checked_size(size: Sequence[float], name: str) -> tuple[float, float, float]:
    sizes = [float(s) for s in size]
    if len(sizes) != 3 or not all(math.isfinite(s) and s > 0 for s in sizes):
        raise VolumeError(
            f"The voxel size {tuple(sizes)} of {name!r} is not possible.",
            "It is three positive numbers: z, y, x.",
        )
    return sizes[0], sizes[1], sizes[2]


def first_of(array: Any, axes: int) -> Any:
    """Leave out leading axes of length one, without reading anything.

    Parameters
    ----------
    array : array of any kind
        NumPy, Dask, Zarr, HDF5, ...
    axes : int
        How many leading axes go.

    Returns
    -------
    array
        A view; a Dask array where indexing would read the whole array at once.
    """
    if isinstance(array, np.ndarray) or hasattr(array, "dask"):
        return array[(0,) * axes]
    from dask.array import from_array  # noqa: PLC0415 - slow, and seldom needed

    # Chunk by chunk, so that no more is read than is asked for.
    chunks = getattr(array, "chunks", None) or "auto"
    return from_array(array, chunks=chunks)[(0,) * axes]  # type: ignore[no-untyped-call]


def _guess(array: Any, name: str) -> str:
    guess = {2: "yx", 3: "zyx"}.get(len(array.shape))
    if guess is None:
        count = len(array.shape)
        raise VolumeError(
            f"{name!r} has {count} {'axis' if count == 1 else 'axes'}, shape "
            f"{tuple(array.shape)}: it is not clear which are space.",
            "Name them, e.g. axes czyx, or tzyx for a volume at several times.",
        )
    return guess


def _check(array: Any, axes: str, name: str) -> None:
    shape = tuple(array.shape)
    if (
        len(axes) != len(shape)
        or len(set(axes)) != len(axes)
        or set(axes) - set("tczyx")
    ):
        raise VolumeError(
            f"Axes {axes!r} do not fit {name!r} with shape {shape}.",
            "Give one letter of t, c, z, y, x per axis.",
        )
    if not set("yx") <= set(axes):
        raise VolumeError(f"Axes {axes!r} of {name!r} lack y or x.")
    if 0 in shape:
        raise VolumeError(f"{name!r} is empty: its shape is {shape}.")
    if np.dtype(array.dtype).kind not in KINDS:
        raise VolumeError(
            f"{name!r} has dtype {array.dtype}; grey values must be real numbers."
        )
