"""Pictures brought to one mean and contrast, each by itself."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.volumes.normalisation import Normalisation, constants
from napari_sashiko.volumes.region import Region
from napari_sashiko.volumes.volume import Volume

WHOLE = 1 << 22  # voxels of a picture that is measured as a whole
TILES, EDGE = 8, 256  # blocks along either side of a larger one, and their edge


class LevelledVolume(Volume):
    """A stack of pictures, each with mean 0 and deviation 1 between its outliers.

    Pictures that were taken one by one differ in brightness and contrast, which tells
    nothing of what is in them. Constants come from the picture alone, so that it is
    seen the same in any stack, and whichever part of it is read.

    Parameters
    ----------
    volume : Volume
        The pictures, one a slice.
    """

    levelled = True

    def __init__(self, volume: Volume) -> None:
        self.__dict__.update(volume.__dict__)
        self.dtype = np.dtype(np.float32)
        self._volume = volume
        self._constants: dict[int, Normalisation] = {}

    def read(self, region: Region, channels: slice | None = None) -> NDArray[Any]:
        """Read a region as ``(C, z, y, x)`` float32; what is not finite stays so.

        Raises
        ------
        VolumeError
            If the file is damaged there, or gone.
        """
        raw = self._volume.read(region)
        block = np.empty(raw.shape, np.float32)
        for place, z in enumerate(range(region[0].start, region[0].stop)):
            part = slice(place, place + 1)
            self._of(z).apply(raw[:, part], out=block[:, part])
        if raw.dtype.kind == "f":
            block[~np.isfinite(raw)] = np.nan
        return block[channels or slice(None)]

    def digest(self) -> str:
        """Hash of the pictures as they are."""
        return self._volume.digest()

    def content_digest(self) -> str:
        """Hash of the pictures as they are, whatever the voxel size is said to be."""
        return self._volume.content_digest()

    def _of(self, z: int) -> Normalisation:
        known = self._constants.get(z)
        if known is None:
            known = self._constants[z] = self._measured(z)
        return known

    def _measured(self, z: int) -> Normalisation:
        sample = self._sample(z)
        if np.isfinite(sample).any(axis=1).all():
            return constants(sample, self.name)
        nothing = (0.0,) * len(sample)  # a picture that nobody took
        ones = (1.0,) * len(sample)
        return Normalisation(low=nothing, high=nothing, center=nothing, scale=ones)

    def _sample(self, z: int) -> NDArray[Any]:
        height, width = self._volume.extent(z)
        if height * width <= WHOLE:
            boxes = [(slice(0, height), slice(0, width))]
        else:
            boxes = [
                (slice(y, y + EDGE), slice(x, x + EDGE))
                for y in _starts(height)
                for x in _starts(width)
            ]
        blocks = (self._volume.read((slice(z, z + 1), *box)) for box in boxes)
        return np.concatenate([b.reshape(len(b), -1) for b in blocks], axis=1)


def as_seen(volume: Volume, normalisation: Normalisation) -> Volume:
    """What a model with these constants looks at: the volume, or its pictures levelled.

    Parameters
    ----------
    volume : Volume
        Any; a levelled one stays as it is.
    normalisation : Normalisation
        Of the model.
    """
    if volume.levelled or not normalisation.levelled:
        return volume
    # Kept with the volume: each preview asks, and pictures are measured once.
    seen: Volume = volume.__dict__.setdefault("_levelled", LevelledVolume(volume))
    return seen


def _starts(length: int) -> list[int]:
    """Where blocks begin, evenly over a side."""
    return [int(n) for n in np.linspace(0, max(length - EDGE, 0), TILES)]
