"""Regions: boxes of voxels with explicit bounds."""

from collections.abc import Sequence

from napari_sashiko.volumes.frames import frame_around

Shape = tuple[int, int, int]
Region = tuple[slice, slice, slice]


def full_region(shape: Sequence[int]) -> Region:
    """Return the region of all voxels of an array ``(Z, Y, X)``."""
    z, y, x = (slice(0, int(size)) for size in shape)
    return z, y, x


def region_shape(region: Region) -> Shape:
    """Return the size of a region per axis, voxels."""
    z, y, x = (part.stop - part.start for part in region)
    return z, y, x


def grow(
    region: Region, halo: Sequence[int], shape: Sequence[int], frame: int | None = None
) -> Region:
    """Return the region with `halo` voxels more on each side, as far as may be seen.

    Parameters
    ----------
    region : Region
        In voxels of the volume.
    halo, shape : sequence of int
        (z, y, x); the volume ends the region.
    frame : int, optional
        Slices of a frame: it ends the region, too.
    """
    depth, height, width = (int(size) for size in shape)
    most = frame_around(region[0], depth, frame), slice(0, height), slice(0, width)
    z, y, x = (
        slice(max(part.start - wider, all_.start), min(part.stop + wider, all_.stop))
        for part, wider, all_ in zip(region, halo, most, strict=True)
    )
    return z, y, x


def shift(region: Region, offset: Sequence[int]) -> Region:
    """Return the region moved by `offset` voxels."""
    z, y, x = (
        slice(part.start + by, part.stop + by)
        for part, by in zip(region, offset, strict=True)
    )
    return z, y, x


def intersect(first: Region, second: Region) -> Region | None:
    """Return the common voxels of two regions; None if there are none."""
    parts = [
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    ]
    if any(part.stop <= part.start for part in parts):
        return None
    return parts[0], parts[1], parts[2]
