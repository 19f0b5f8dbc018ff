"""Where the user is looking, in voxels of the volume; and looking elsewhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def view_center(
    viewer: Any, layer: Any, volume: Any
) -> tuple[float, float, float] | None:
    """Voxel (z, y, x) in the middle of the view; None if there is no layer.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari layer or None
        What the volume was taken from.
    volume : Volume
    """
    if layer is None or layer not in viewer.layers:
        return None
    world = np.array(viewer.dims.point, float)
    shown = list(viewer.dims.displayed)
    world[shown] = np.asarray(viewer.scene.camera.center, float)[-len(shown) :]
    data = np.asarray(layer.world_to_data(world[-layer.ndim :]))
    stack = volume.stacking
    z, y, x = stack.coords([float(each) for each in data[-len(stack.axes) :]])
    limits = [n - 1 for n in volume.shape]
    z, y, x = np.clip([z, y, x], 0, limits).tolist()
    return z, y, x


def look_at(viewer: Any, layer: Any, point: Sequence[float]) -> None:
    """Show the slice through a point, with it in the centre; the zoom stays.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari layer
        Whose voxels `point` counts.
    point : sequence of float
        As many numbers as the layer has axes, or those of its last axes.
    """
    offset = viewer.dims.ndim - layer.ndim
    shown = [axis - offset for axis in viewer.dims.displayed]
    whole = [*(0.0 for _ in range(layer.ndim - len(point))), *point]
    world = np.asarray(layer.data_to_world(whole))
    for axis in range(layer.ndim):
        if axis not in shown:
            viewer.dims.set_point(axis + offset, world[axis])
    camera = np.array(viewer.scene.camera.center, float)
    camera[-len(shown) :] = world[shown]
    viewer.scene.camera.center = tuple(camera)
