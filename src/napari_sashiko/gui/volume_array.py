"""A volume as an array that napari slices: for images that this program opens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.gui.lazy_array import UNREADABLE
from napari_sashiko.volumes import Volume

LOOKED_AT = (1 / 2, 1 / 4, 3 / 4, 1 / 8, 7 / 8)  # slices, as shares of the depth


class VolumeArray:
    """Voxels of a volume, read when they are asked for.

    Its axes are those of space and time; channels come before them, colours last.

    Parameters
    ----------
    volume : Volume
        Of any number of channels.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.colour = volume.colour
        self.several = volume.channels > 1 and not volume.colour
        spatial, channels = volume.stacking.on_disk, (volume.channels,)
        self.shape = (
            *(channels if self.several else ()),
            *spatial,
            *(channels if self.colour else ()),
        )
        self.dtype = np.dtype(np.uint8) if volume.dtype == bool else volume.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Read what numbers and slices without steps select, one for each axis."""
        steps, channels = self._parted(key)
        *places, wanted = (
            s if isinstance(s, slice) else slice(s, s + 1) for s in (*steps, channels)
        )
        chosen = (slice(None) if isinstance(s, slice) else 0 for s in steps)
        found = self._read(places, wanted)[(*chosen, ...)]
        if not isinstance(channels, slice):
            return found[..., 0]
        return np.moveaxis(found, -1, 0) if self.several else found

    def _parted(self, key: tuple[Any, ...]) -> tuple[Sequence[Any], Any]:
        """Part a key into that of the axes of space and time, and of channels."""
        if self.several:
            return key[1:], key[0]
        return (key[:-1], key[-1]) if self.colour else (key, 0)

    def _read(self, box: Sequence[slice], channels: slice) -> npt.NDArray[Any]:
        """A box of the array's own axes, and channels: several frames one by one."""
        stack, first = self.volume.stacking, box[0]
        if stack.time is None or stack.flat:
            frames = [list(box)]
        else:
            each = range(first.start, first.stop)
            frames = [[slice(t, t + 1), *box[1:]] for t in each]
        blocks = [self.volume.read(stack.region(each), channels) for each in frames]
        shape = [part.stop - part.start for part in box]
        whole = np.concatenate([np.moveaxis(each, 0, -1) for each in blocks])
        return whole.reshape(*shape, -1)


def grey_limits(volume: Volume) -> tuple[float, float]:
    """Lowest and highest value of the middle slice.

    Where that one is damaged, or holds a single value or none, slices above and below
    it are looked at.

    Raises
    ------
    VolumeError
        If none of them can be read.
    """
    depth = volume.shape[0]
    flat: tuple[float, float] | None = None
    failed: Exception | None = None
    for number in dict.fromkeys(int(depth * part) for part in LOOKED_AT):
        try:
            low, high = _limits(volume, number)
        except UNREADABLE as error:
            failed = failed or error
            continue
        if high > low:
            return low, high
        flat = flat or (low, low + 1.0)
    if flat is None and failed is not None:
        raise failed
    return flat or (0.0, 1.0)


def _limits(volume: Volume, number: int) -> tuple[float, float]:
    """Those of one slice; both 0 if nothing in it is finite."""
    _, height, width = volume.shape
    place = (slice(number, number + 1), slice(0, height), slice(0, width))
    plane = volume.read(place)
    values = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
