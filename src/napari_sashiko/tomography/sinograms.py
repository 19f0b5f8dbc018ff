"""A stack of sinograms in a volume, read slice by slice."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import Volume

Order = Literal["slices", "projections"]


class Sinograms:
    """Sinograms of the slices of an object.

    Parameters
    ----------
    volume : Volume
        One channel; a 2D image is the sinogram of a single slice.
    order : str
        Meaning of its axes: "slices" for (slice, angle, detector), "projections" for
        (angle, slice, detector), the order in which a detector takes them.

    Attributes
    ----------
    slices, angles, detectors : int
        How many there are.
    voxel_size : tuple of float
        (z, y, x) of the slices, in the volume's unit: pixels of the detector.

    Raises
    ------
    VolumeError
        If the volume has several channels.
    """

    def __init__(self, volume: Volume, order: Order = "slices") -> None:
        if volume.channels != 1:
            raise VolumeError(
                f"The sinograms {volume.name!r} have {volume.channels} channels.",
                "Take one channel: axes are (slice, angle, detector).",
            )
        if volume.time is not None:
            raise VolumeError(
                f"The sinograms {volume.name!r} have {volume.stacking.count} time "
                "points.",
                "Pick one of them; if they are slices or angles, say axes zyx.",
            )
        if order == "projections" and volume.flat:
            raise VolumeError(
                f"{volume.name!r} is a single image, which has no axis of angles "
                "before its slices.",
                "Take the order 'slices' for one sinogram (angle, detector).",
            )
        self.volume = volume
        self.order = order
        depth, height, self.detectors = volume.shape
        turned = order == "projections"
        self.slices, self.angles = (height, depth) if turned else (depth, height)
        z, y, x = volume.voxel_size
        self.voxel_size = (y if turned else z, x, x)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sinograms ``(slices, angles, detectors)`` of some slices, as stored.

        Raises
        ------
        VolumeError
            If the file is damaged there, or gone.
        """
        some, every = slice(start, stop), slice(0, self.angles)
        wide = slice(0, self.detectors)
        turned = self.order == "projections"
        region = (every, some, wide) if turned else (some, every, wide)
        block: NDArray[Any] = self.volume.read(region)[0]
        return np.ascontiguousarray(block.swapaxes(0, 1)) if turned else block

    def read_measured(self, start: int, stop: int) -> NDArray[np.float32]:
        """The same as numbers, all of which were measured.

        Raises
        ------
        VolumeError
            As `read`, and if any is not finite.
        """
        values = self.read(start, stop).astype(np.float32)
        finite = np.isfinite(values).all((1, 2))
        if not finite.all():
            number = start + int(np.argmin(finite))
            raise VolumeError(
                f"The sinogram of slice {number} of {self.volume.name!r} has values "
                "that are not finite.",
                "Fill its gaps first, for example with: sashiko restore --gaps.",
            )
        return values
