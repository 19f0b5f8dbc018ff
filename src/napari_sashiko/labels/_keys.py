"""Which voxels an index selects: their box and the blocks of the label store."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

Box = tuple[slice, slice, slice]
Shape = tuple[int, int, int]
BLOCK = 64  # edge of a block, voxels


def bounding_box(key: Any, shape: Shape) -> Box:
    """Return the smallest box that holds all voxels that ``array[key]`` selects.

    Parameters
    ----------
    key : index
        Whatever an array takes: numbers, slices, ``...``, index arrays, masks.
    shape : tuple of int
        (Z, Y, X) of the array.
    """
    sides: list[slice] = []
    for part in _parts(key, len(shape)):
        if isinstance(part, np.ndarray) and part.dtype == bool:
            sides += _mask_sides(part)
        elif isinstance(part, slice):
            sides.append(_slice_side(part, shape[len(sides)]))
        else:
            sides.append(_index_side(part, shape[len(sides)]))
    z, y, x = sides
    return z, y, x


def touched_planes(key: Any, shape: Shape) -> Iterator[tuple[Shape, int, int]]:
    """Planes of blocks with voxels that ``array[key]`` selects.

    Yields
    ------
    tuple
        Number of the block per axis, first plane and the plane after the last.
    """
    parts = _parts(key, len(shape))
    if len(parts) == len(shape) and all(_is_numbers(part) for part in parts):
        yield from _scattered(parts, shape)
        return
    box = bounding_box(key, shape)
    z, y, x = (range(s.start // BLOCK, -(-s.stop // BLOCK)) for s in box)
    for block in product(z, y, x):
        start = block[0] * BLOCK
        yield block, max(box[0].start, start), min(box[0].stop, start + BLOCK)


def block_box(block: Shape, shape: Shape) -> Box:
    """Box of a block, clipped to the array."""
    z, y, x = (
        slice(i * BLOCK, min((i + 1) * BLOCK, n))
        for i, n in zip(block, shape, strict=True)
    )
    return z, y, x


def _parts(key: Any, ndim: int) -> list[Any]:
    """One entry per axis or mask, in the order of the axes."""
    entries = key if isinstance(key, tuple) else (key,)
    parts = [_plain(e) for e in entries if e is not None and not isinstance(e, bool)]
    used = sum(_axes(part) for part in parts)
    rest = [slice(None)] * (ndim - used)
    places = [i for i, part in enumerate(parts) if part is Ellipsis]
    place = places[0] if places else len(parts)
    return [*parts[:place], *rest, *parts[place + 1 :]]


def _plain(entry: Any) -> Any:
    return entry if isinstance(entry, slice) or entry is Ellipsis else np.asarray(entry)


def _axes(part: Any) -> int:
    if part is Ellipsis:
        return 0
    is_mask = isinstance(part, np.ndarray) and part.dtype == bool
    return part.ndim if is_mask else 1


def _mask_sides(mask: Any) -> list[slice]:
    sides = []
    for axis in range(mask.ndim):
        others = tuple(i for i in range(mask.ndim) if i != axis)
        places = np.flatnonzero(mask.any(axis=others))
        sides.append(slice(int(places[0]), int(places[-1]) + 1) if len(places) else _NO)
    return sides


_NO = slice(0, 0)


def _slice_side(part: slice, size: int) -> slice:
    places = range(size)[part]
    if not places:
        return _NO
    return slice(min(places[0], places[-1]), max(places[0], places[-1]) + 1)


def _index_side(part: Any, size: int) -> slice:
    if not part.size:
        return _NO
    index = np.where(part < 0, part + size, part)
    return slice(max(int(index.min()), 0), min(int(index.max()) + 1, size))


def _is_numbers(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype != bool


def _scattered(parts: Sequence[Any], shape: Shape) -> Iterator[tuple[Shape, int, int]]:
    """Only planes that are hit: two far voxels have the whole volume between them."""
    places = np.broadcast_arrays(
        *(
            np.where(part < 0, part.astype(np.int64) + size, part)
            for part, size in zip(parts, shape, strict=True)
        )
    )
    sizes = zip(places, shape, strict=True)
    inside = np.logical_and.reduce([(p >= 0) & (p < n) for p, n in sizes])
    z, y, x = (p[inside].astype(np.int64) for p in places)  # others are refused
    counts = (shape[0], *(-(-n // BLOCK) for n in shape[1:]))
    # One number a voxel: sorting rows of numbers takes ten times as long.
    hit = np.unique(np.ravel_multi_index((z, y // BLOCK, x // BLOCK), counts))
    planes = np.stack(np.unravel_index(hit, counts), axis=1)
    for plane, row, column in planes.tolist():
        yield (plane // BLOCK, row, column), plane, plane + 1
