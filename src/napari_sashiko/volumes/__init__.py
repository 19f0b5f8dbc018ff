"""Volumes: images of any format and size, read by regions, with voxel size and unit."""

from napari_sashiko.volumes.chunks import ChunkWriter, padded
from napari_sashiko.volumes.disk import (
    DAMAGED,
    check_writable,
    reading,
    remove_torn,
)
from napari_sashiko.volumes.extents import (
    beyond,
    extents_in,
    extents_of,
    extents_record,
)
from napari_sashiko.volumes.frames import (
    KEY_FRAME,
    Stacking,
    Time,
    frame_around,
    frames_apart,
    spans,
    stacking_of,
)
from napari_sashiko.volumes.levelled import LevelledVolume, as_seen
from napari_sashiko.volumes.live_level import live_levels
from napari_sashiko.volumes.lock import FolderLock, Holder
from napari_sashiko.volumes.normalisation import (
    LARGEST,
    TAILS,
    Normalisation,
    measure_normalisation,
)
from napari_sashiko.volumes.ome_zarr import create_ome_image
from napari_sashiko.volumes.opening import open_volume
from napari_sashiko.volumes.picture import (
    PictureHead,
    as_channels,
    picture_head,
    read_picture,
)
from napari_sashiko.volumes.picture_folder import (
    IMAGES,
    LABELS,
    PARTS,
    find_pictures,
    is_portfolio,
    pictures_in,
    portfolio_pictures,
)
from napari_sashiko.volumes.pyramid import drop_levels, open_levels, write_levels
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
from napari_sashiko.volumes.sheets import check_alike, sheet_volume
from napari_sashiko.volumes.shrinking import shrunk
from napari_sashiko.volumes.slices import Slices
from napari_sashiko.volumes.temporary import (
    keep_copy,
    remove,
    remove_abandoned,
    set_aside,
    temporary_beside,
)
from napari_sashiko.volumes.units import long_unit
from napari_sashiko.volumes.volume import Volume, as_volume, first_of
from napari_sashiko.volumes.whole import (
    ATTRIBUTES,
    check_replaceable,
    finish_replacing,
    new_folder_beside,
    relative,
    write_file,
    written_file,
    written_whole,
)
from napari_sashiko.volumes.windows import WindowReader

__all__ = [
    "ATTRIBUTES",
    "DAMAGED",
    "IMAGES",
    "KEY_FRAME",
    "LABELS",
    "LARGEST",
    "PARTS",
    "TAILS",
    "ChunkWriter",
    "FolderLock",
    "Holder",
    "LevelledVolume",
    "Normalisation",
    "PictureHead",
    "Recent",
    "Region",
    "Scratch",
    "Slices",
    "Stacking",
    "Time",
    "Volume",
    "WindowReader",
    "as_channels",
    "as_seen",
    "as_volume",
    "beyond",
    "check_alike",
    "check_replaceable",
    "check_writable",
    "create_ome_image",
    "drop_levels",
    "extents_in",
    "extents_of",
    "extents_record",
    "find_pictures",
    "finish_replacing",
    "first_of",
    "frame_around",
    "frames_apart",
    "full_region",
    "grow",
    "intersect",
    "is_portfolio",
    "keep_copy",
    "live_levels",
    "long_unit",
    "measure_normalisation",
    "new_folder_beside",
    "open_levels",
    "open_volume",
    "padded",
    "picture_head",
    "pictures_in",
    "portfolio_pictures",
    "read_picture",
    "reading",
    "region_shape",
    "relative",
    "remove",
    "remove_abandoned",
    "remove_torn",
    "set_aside",
    "sheet_volume",
    "shift",
    "shrunk",
    "spans",
    "stacking_of",
    "temporary_beside",
    "write_file",
    "write_levels",
    "written_file",
    "written_whole",
]
