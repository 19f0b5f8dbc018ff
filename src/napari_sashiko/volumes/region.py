"""Regions: boxes of voxels with explicit bounds."""

from collections.abc import Sequence

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


def grow(region: Region, halo: Sequence[int], shape: Sequence[int]) -> Region:
    """Return the region with `halo` voxels more on each side, clipped to the volume."""
    z, y, x = (
        slice(max(part.start - wider, 0), min(part.stop + wider, size))
        for part, wider, size in zip(region, halo, shape, strict=True)
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
