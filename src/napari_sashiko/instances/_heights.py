"""How deep each voxel lies in its object: the relief in which objects are hills.

Strategy: the Euclidean distance to what is outside, up to a largest one, needs only the
voxels within that distance. A block is read with as little around it as its own depth
asks for. Where a class marks what lies between objects, its voxels count as outside;
they have no depth, and among them lower probabilities of that class are higher ground.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_sashiko.instances._source import Region, Source
from napari_sashiko.volumes import beyond, grow

Heights = npt.NDArray[np.uint32]
STEPS = 64  # of depth in a voxel: rounded, so that no window differs in the last bit
LOW = 8  # bits below the depth, for ground without depth
FIRST_REACH = 12  # voxels: most nuclei are less deep


def spacing(source: Source) -> tuple[float, float, float]:
    """Voxel size (z, y, x) in voxels of the finest axis that is there."""
    sizes = source.voxel_size
    there = [size for size, n in zip(sizes, source.sides, strict=True) if n > 1]
    finest = min(there, default=1.0)
    z, y, x = (size / finest for size in sizes)
    return z, y, x


def block_heights(source: Source, region: Region) -> Heights:
    """Height of each voxel of a region and of one voxel more on every side.

    Parameters
    ----------
    source : Source
        The mask, and how objects are cut apart.
    region : Region
        (z, y, x).

    Returns
    -------
    (z + 2, y + 2, x + 2) uint32
        0 is no object, nor is what lies outside the volume or the frame. Depth in
        voxels of the finest axis is ``depth_of``.
    """
    sides = spacing(source)
    most = source.settings.split_radius
    frame = source.stack.frame
    shown = grow(region, (1, 1, 1), source.shape, frame)
    reach = min(FIRST_REACH, most)
    while True:
        halo = [math.ceil(reach / side) for side in sides]
        window = grow(shown, halo, source.shape, frame)
        mask = source.mask(window)
        inner = within(shown, window)
        solid, between = mask, np.zeros((), np.float32)
        if source.boundary is not None:
            between = source.boundaries(window)
            solid = mask & (between <= source.settings.boundary_above)
        if source.extents is not None:  # the edge of a picture cuts as that of all does
            solid = solid | beyond(source.extents, window)
        depth = _depth(solid, inner, sides, most)
        if reach >= most or depth.max(initial=0) <= reach:
            break
        reach = min(2 * reach, most)
    heights = np.rint(depth * STEPS).astype(np.uint32) << LOW
    if source.boundary is not None:
        heights |= np.rint(255 * (1 - between[inner])).astype(np.uint32)
    heights += 1
    heights[~mask[inner]] = 0
    return np.pad(heights, _missing(region, shown))


def depth_of(heights: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Depth in voxels of the finest axis."""
    return np.asarray((np.maximum(heights, 1) - 1 >> LOW) / STEPS)


def _depth(
    solid: npt.NDArray[np.bool_],
    inner: Region,
    sides: tuple[float, float, float],
    most: float,
) -> npt.NDArray[np.float32]:
    """Distance to the nearest voxel that is not solid, at most `most`."""
    if solid.all() or not solid[inner].any():
        value = most if solid.all() else 0.0
        return np.full(solid[inner].shape, value, np.float32)
    nearest = ndimage.distance_transform_edt(
        solid, sides, return_distances=False, return_indices=True
    )
    squared = np.zeros(solid[inner].shape, np.float32)
    for axis, (places, side) in enumerate(zip(nearest, sides, strict=True)):
        shape = [-1 if each == axis else 1 for each in range(3)]
        here = np.arange(inner[axis].start, inner[axis].stop, dtype=np.int32)
        away = (places[inner] - here.reshape(shape)).astype(np.float32)
        squared += np.square(away * np.float32(side))
    return np.minimum(np.sqrt(squared), np.float32(most))


def within(region: Region, window: Region) -> Region:
    """Place of a region in an array that holds a window around it."""
    z, y, x = (
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(region, window, strict=True)
    )
    return z, y, x


def _missing(region: Region, shown: Region) -> list[tuple[int, int]]:
    """Sides of the volume: no voxel lies beyond."""
    return [
        (1 - (part.start - wider.start), 1 - (wider.stop - part.stop))
        for part, wider in zip(region, shown, strict=True)
    ]
