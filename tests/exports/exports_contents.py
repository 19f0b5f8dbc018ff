"""Images of results, small and of odd sizes."""

import numpy as np
import zarr

from napari_sashiko.exports import Content
from napari_sashiko.volumes import Stacking

SIZE = (2.0, 0.5, 0.25)


def content_of(folder, values, **more):
    """An array on disk, as an export sees it."""
    values = np.asarray(values)
    array = zarr.create_array(
        str(folder / "array.zarr"), data=values, chunks=(1, 3, 4, 5)[-values.ndim :]
    )
    facts = {
        "path": folder,
        "title": "Things",
        "array": array,
        "stack": Stacking((1, 1, 1), flat=len(more.get("voxel_size", SIZE)) == 2),
        "dtype": str(values.dtype),
        "voxel_size": SIZE,
        "unit": "um",
        **more,
    }
    return Content(**facts)
