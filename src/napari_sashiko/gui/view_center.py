"""Where the user is looking, in voxels of the volume."""

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
    spatial = 2 if volume.flat else 3
    z, y, x = (*(0.0 for _ in range(3 - spatial)), *map(float, data[-spatial:]))
    limits = [n - 1 for n in volume.shape]
    z, y, x = np.clip([z, y, x], 0, limits).tolist()
    return z, y, x
