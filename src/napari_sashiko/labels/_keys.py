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


def touched_blocks(key: Any, shape: Shape) -> Iterator[tuple[Shape, int, int]]:
    """Blocks with voxels that ``array[key]`` selects, and the planes of interest.

    Yields
    ------
    tuple
        Number of the block per axis, first plane and the plane after the last.
    """
    box = bounding_box(key, shape)
    if any(side.stop <= side.start for side in box):
        return
    parts = _parts(key, len(shape))
    if len(parts) == len(shape) and any(np.ndim(part) for part in parts):
        numbers = _scattered(parts, shape)
    else:
        numbers = None
    for block in _blocks_of(box) if numbers is None else numbers:
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


def _scattered(parts: Sequence[Any], shape: Shape) -> list[Shape] | None:
    """Blocks hit by index arrays; None where slices or masks are among them."""
    if any(isinstance(p, slice) or p.dtype == bool for p in parts):
        return None
    places = [
        np.where(part < 0, part + size, part) // BLOCK
        for part, size in zip(parts, shape, strict=True)
    ]
    counts = tuple(-(-size // BLOCK) for size in shape)
    inside = (
        (p >= 0).all() and (p < n).all() for p, n in zip(places, counts, strict=True)
    )
    if not all(inside):
        return []  # the array itself refuses them
    flat = np.unique(np.ravel_multi_index(np.broadcast_arrays(*places), counts))
    z, y, x = np.unravel_index(flat, counts)
    return list(zip(z.tolist(), y.tolist(), x.tolist(), strict=True))


def _blocks_of(box: Box) -> Iterator[Shape]:
    z, y, x = (range(s.start // BLOCK, -(-s.stop // BLOCK)) for s in box)
    yield from product(z, y, x)
