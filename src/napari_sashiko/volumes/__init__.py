"""Volumes: images of any format and size, read by regions, with voxel size and unit."""

from napari_sashiko.volumes.chunks import ChunkWriter, padded
from napari_sashiko.volumes.disk import check_writable, reading, remove_torn
from napari_sashiko.volumes.normalisation import (
    LARGEST,
    Normalisation,
    measure_normalisation,
)
from napari_sashiko.volumes.ome_zarr import create_ome_image
from napari_sashiko.volumes.opening import open_volume
from napari_sashiko.volumes.recent import Recent
from napari_sashiko.volumes.region import (
    Region,
    full_region,
    grow,
    intersect,
    region_shape,
    shift,
)
from napari_sashiko.volumes.scratch import Scratch
from napari_sashiko.volumes.volume import Volume, as_volume, first_of
from napari_sashiko.volumes.whole import check_replaceable, written_whole
from napari_sashiko.volumes.windows import WindowReader

__all__ = [
    "LARGEST",
    "ChunkWriter",
    "Normalisation",
    "Recent",
    "Region",
    "Scratch",
    "Volume",
    "WindowReader",
    "as_volume",
    "check_replaceable",
    "check_writable",
    "create_ome_image",
    "first_of",
    "full_region",
    "grow",
    "intersect",
    "measure_normalisation",
    "open_volume",
    "padded",
    "reading",
    "region_shape",
    "remove_torn",
    "shift",
    "written_whole",
]
