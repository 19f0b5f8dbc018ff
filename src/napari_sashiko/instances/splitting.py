"""Objects that touch, cut apart: one block of it, or what is in view."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sashiko.instances._basins import INNER, Basins, basins_of
from napari_sashiko.instances._heights import (
    Heights,
    block_heights,
    spacing,
    within,
)
from napari_sashiko.instances._merging import hills
from napari_sashiko.instances._seams import Relief
from napari_sashiko.instances._source import Region, Source, open_source
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.volumes import full_region, grow, region_shape

# Voxels of the finest axis around a block: ways out of it run together there, so that
# it has few pieces beside those of its own peaks.
MARGIN = 8
CONTEXT = 16  # around what is in view: objects whose middle is not


def cut_block(source: Source, region: Region) -> tuple[Basins, Heights]:
    """Cut the objects of a block into pieces, one for each peak.

    Parameters
    ----------
    source : Source
        The mask, and how objects are cut apart.
    region : Region
        (z, y, x).

    Returns
    -------
    Basins
        The pieces: more than objects, until all blocks are put together.
    (z, y, x) uint32
        Their relief.
    """
    wider = _surroundings(source, region, MARGIN)
    heights = block_heights(source, wider)
    inner = within(region, wider)
    connectivity = source.settings.connectivity
    basins = basins_of(heights, inner, spacing(source), connectivity)
    return basins, np.ascontiguousarray(heights[INNER][inner])


def relief_of(source: Source, region: Region) -> tuple[npt.NDArray[np.uint32], Relief]:
    """Cut a block; the pieces, (z, y, x) uint32, and what others need of them."""
    basins, heights = cut_block(source, region)
    relief = Relief.of(
        basins, heights, region, source.shape, source.settings.connectivity
    )
    return basins.labels, relief


def preview_instances(
    prediction: Path, region: Region, settings: InstanceSettings
) -> npt.NDArray[np.uint32]:
    """Cut what a region shows apart, as far as its near surroundings tell.

    Parameters
    ----------
    prediction : Path
        Folder NAME.zarr.
    region : Region
        (z, y, x); memory and time grow with it.
    settings : InstanceSettings
        Class, threshold, splitting; dust is not removed.

    Returns
    -------
    (z, y, x) uint32
        Objects, numbered anyhow; 0 is none.

    Raises
    ------
    OutputError
        If it is not a prediction.
    SettingsError
        If there is no such class.
    """
    source = open_source(Path(prediction), settings)
    connectivity = settings.connectivity
    wider = _surroundings(source, region, CONTEXT)
    size = region_shape(wider)
    heights = np.zeros([n + 2 for n in size], np.uint32)
    heights[INNER] = block_heights(source, wider)[INNER]  # nothing leads out of it
    basins = basins_of(heights, full_region(size), spacing(source), connectivity)
    relief = Relief.of(basins, heights[INNER], wider, source.shape, connectivity)
    none = np.zeros((0, 2), np.int32)
    passes = relief.passes - np.array([1, 1, 0])  # labels count from 1
    objects = hills(relief.tops, none, passes, settings.depth) + 1
    names = np.concatenate([[0], objects]).astype(np.uint32)
    return np.asarray(names[basins.labels[within(region, wider)]])


def _surroundings(source: Source, region: Region, voxels: int) -> Region:
    halo = [math.ceil(voxels / side) for side in spacing(source)]
    return grow(region, halo, source.shape, source.stack.frame)
