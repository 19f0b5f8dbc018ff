"""A volume as an array that napari slices: for images that this program opens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.volumes import Volume

SHOWN_CHANNELS = (1, 3, 4)  # grey values, or colours


class VolumeArray:
    """Voxels of a volume, read when they are asked for.

    Parameters
    ----------
    volume : Volume
        Of one channel, or of colours, which become the last axis.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.colour = volume.channels > 1
        spatial = volume.stacking.on_disk
        self.shape = (*spatial, volume.channels) if self.colour else spatial
        self.dtype = np.dtype(np.uint8) if volume.dtype == bool else volume.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Read what numbers and slices without steps select, one for each axis."""
        *steps, channels = key if self.colour else (*key, 0)
        places = [s if isinstance(s, slice) else slice(s, s + 1) for s in steps]
        chosen = tuple(slice(None) if isinstance(s, slice) else 0 for s in steps)
        return self._read(places)[(*chosen, channels)]

    def _read(self, box: Sequence[slice]) -> npt.NDArray[Any]:
        """A box of the array's own axes, and channels: several frames one by one."""
        stack, first = self._volume.stacking, box[0]
        if stack.time is None or stack.flat:
            frames = [list(box)]
        else:
            each = range(first.start, first.stop)
            frames = [[slice(t, t + 1), *box[1:]] for t in each]
        blocks = [self._volume.read(stack.region(each)) for each in frames]
        shape = [part.stop - part.start for part in box]
        whole = np.concatenate([np.moveaxis(each, 0, -1) for each in blocks])
        return whole.reshape(*shape, -1)


def grey_limits(volume: Volume) -> tuple[float, float]:
    """Lowest and highest value of the middle slice."""
    depth, height, width = volume.shape
    middle = slice(depth // 2, depth // 2 + 1)
    plane = volume.read((middle, slice(0, height), slice(0, width)))
    values = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)
