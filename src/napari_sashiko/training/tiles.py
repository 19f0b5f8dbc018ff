"""Tiles: the labelled parts of a volume, read once, from which patches are cut.

Strategy: painted voxels are sorted into tiles of one slice (2D) or a few (3D), all of
one frame. A tile holds its image with a margin of half a patch, so that a patch around
any of its voxels is a plain crop. Only tiles with paint are read, at most ``MEMORY`` of
them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.volumes import Normalisation, Volume, spans

MEMORY = 1 << 30  # bytes of image that tiles may hold together
EDGE = 128  # in-plane size of a tile, voxels
DEPTH = 16  # slices of a tile of blocks

Triple = tuple[int, int, int]
Images = dict[Triple, NDArray[np.float32]]


@dataclass(frozen=True)
class Tile:
    """A part of the volume with a margin.

    Attributes
    ----------
    image : numpy.ndarray
        ``(C, Z + 2 mz, Y + 2 my, X + 2 mx)`` float32, normalised, faces mirrored.
    rows : numpy.ndarray
        Places in the labelled voxels of those that lie in the tile.
    coords : numpy.ndarray
        Their coordinates in the tile, without margin, ``(n, 3)``.
    shape : tuple of int
        (Z, Y, X) without margin.
    """

    image: NDArray[np.float32]
    rows: NDArray[np.int64]
    coords: NDArray[np.int32]
    shape: Triple


def read_tiles(
    volume: Volume,
    normalisation: Normalisation,
    labelled: LabelledVoxels,
    *,
    dims: int,
    margin: Triple,
    seed: int,
    known: Images | None = None,
) -> Iterator[Tile]:
    """Read the tiles that hold paint, in random order, until memory is used up.

    Parameters
    ----------
    volume : Volume
        The image.
    normalisation : Normalisation
        Applied to what is read.
    labelled : LabelledVoxels
        The paint.
    dims : int
        Tiles are one slice thick for 2, ``DEPTH`` for 3.
    margin : tuple of int
        Voxels (z, y, x) beyond the tile.
    seed : int
        Decides which tiles are left out of a volume with too much paint.
    known : dict, optional
        Images by the corner of their tile, from earlier paint: they are not read
        again. What is read is added to it.

    Yields
    ------
    Tile
        Each with at least one labelled voxel.
    """
    size = np.array([1 if dims == 2 else DEPTH, EDGE, EDGE])
    cuts = [
        np.array(spans(n, int(edge), frame))
        for n, edge, frame in zip(
            volume.shape, size, (volume.frame, None, None), strict=True
        )
    ]
    tile_of = [
        np.searchsorted(cut[:, 0], along, side="right") - 1
        for cut, along in zip(cuts, labelled.coords.T, strict=True)
    ]
    keys, inverse = np.unique(np.stack(tile_of, 1), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(np.bincount(inverse, minlength=len(keys)))
    places = np.random.default_rng(seed).permutation(len(keys))
    if volume.separate:  # each picture is opened once
        full = 4 * volume.channels * int(np.prod(size + 2 * np.array(margin)))
        places = np.sort(places[: MEMORY // full + 1])
    used = 0
    for place in places:
        start, stop = np.array(
            [cut[key] for cut, key in zip(cuts, keys[place], strict=True)]
        ).T
        rows = order[ends[place - 1] if place else 0 : ends[place]]
        corner = (int(start[0]), int(start[1]), int(start[2]))
        image = None if known is None else known.get(corner)
        if image is None:
            image = read_mirrored(volume, normalisation, start, stop, margin)
        if known is not None:
            known[corner] = image
        yield Tile(
            image=image,
            rows=rows,
            coords=labelled.coords[rows] - start,
            shape=tuple(int(n) for n in stop - start),  # type: ignore[arg-type]
        )
        used += image.nbytes
        if used > MEMORY:
            return


def read_mirrored(
    volume: Volume,
    normalisation: Normalisation,
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    margin: Triple,
) -> NDArray[np.float32]:
    """Read ``start - margin .. stop + margin``, mirrored where volume or frame ends."""
    low, high = start - margin, stop + margin
    z, y, x = (slice(int(s), int(s) + 1) for s in start)
    most = volume.around((z, y, x))
    inside_low = np.maximum(low, [part.start for part in most])
    inside_high = np.minimum(high, [part.stop for part in most])
    region = (
        slice(int(inside_low[0]), int(inside_high[0])),
        slice(int(inside_low[1]), int(inside_high[1])),
        slice(int(inside_low[2]), int(inside_high[2])),
    )
    image = normalisation.apply(volume.read(region))
    pad = [(0, 0), *zip(inside_low - low, high - inside_high, strict=True)]
    return np.pad(image, pad, mode="symmetric") if np.any(pad) else image
