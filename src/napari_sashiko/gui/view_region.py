"""Which part of the volume the user sees, in voxels."""

from typing import Any

import numpy as np

from napari_sashiko.volumes import Region, Volume


def view_region(viewer: Any, image: Any, volume: Volume, longest: int) -> Region | None:
    """Part of the slice in view, (Z, Y, X) and one voxel thick; None in 3D.

    None, too, where time runs across the view of volumes.

    Parameters
    ----------
    viewer : napari.Viewer
    image : napari layer
        What the volume was taken from.
    volume : Volume
    longest : int
        Most voxels along an axis; the middle of the view is kept.
    """
    if viewer.dims.ndisplay != 2:
        return None
    stack = volume.stacking
    spatial, ndim = stack.on_disk, len(stack.axes)
    shown = {axis - (viewer.dims.ndim - ndim) for axis in viewer.dims.displayed}
    if stack.axes == "tzyx" and 0 in shown:
        return None
    corners = np.asarray(image.corner_pixels)[:, -ndim:]
    corners = corners * np.asarray(_downsampling(image, ndim))
    point = _data_point(image, viewer.dims.point, ndim)
    box = []
    for axis, size in enumerate(spatial):
        if axis in shown:
            box.append(_middle(corners[:, axis], size, longest))
        else:
            index = int(np.clip(np.round(point[axis]), 0, size - 1))
            box.append(slice(index, index + 1))
    return stack.region(box)


def _middle(ends: np.ndarray, size: int, longest: int) -> slice:
    """Return the visible part of an axis, at most the longest side."""
    low, high = int(max(0, ends.min())), int(min(size, ends.max() + 1))
    # An axis that has just been turned into view has no ends before it is drawn.
    if high <= low or ends.min() == ends.max():
        low, high = 0, size
    if high - low > longest:
        low = (low + high - longest) // 2
        high = low + longest
    return slice(low, high)


def _data_point(image: Any, point: Any, ndim: int) -> np.ndarray:
    world = np.asarray(point)[-image.ndim :]
    return np.asarray(image.world_to_data(world))[-ndim:]


def _downsampling(image: Any, ndim: int) -> Any:
    if not image.multiscale:
        return np.ones(ndim)
    return np.asarray(image.downsample_factors[image.data_level])[-ndim:]
