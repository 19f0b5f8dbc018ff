"""A volume as an array that napari slices: for images that this program opens."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.volumes import Region, Volume

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
        spatial = volume.shape[1:] if volume.flat else volume.shape
        self.shape = (*spatial, volume.channels) if self.colour else tuple(spatial)
        self.dtype = np.dtype(np.uint8) if volume.dtype == bool else volume.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Read what numbers and slices without steps select, one for each axis."""
        *steps, channels = key if self.colour else (*key, 0)
        steps = [0, *steps] if self._volume.flat else steps
        places = [s if isinstance(s, slice) else slice(s, s + 1) for s in steps]
        region: Region = (places[0], places[1], places[2])
        block = np.moveaxis(self._volume.read(region), 0, -1)
        chosen = tuple(slice(None) if isinstance(s, slice) else 0 for s in steps)
        return block[(*chosen, channels)]


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
