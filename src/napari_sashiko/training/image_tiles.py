"""Blocks at random places of a volume, from which patches of images are cut."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.runners import Event, Progress
from napari_sashiko.training.tiles import Triple, read_mirrored
from napari_sashiko.volumes import Normalisation, Volume

MEMORY = 1 << 28  # bytes of all blocks together
BLOCK = (16, 160, 160)  # voxels of a block, without its margin in z
ROOM = 2  # patches, at least, side by side in a block
FEW = 8  # blocks, at least, as far as patches fit
ALIKE = 8  # slices
HELD_OUT = 8  # one block of so many is held out


@dataclass(frozen=True, eq=False)
class ImageTile:
    """A block of the image with what is to be made of it.

    Attributes
    ----------
    image : numpy.ndarray
        ``(C, Z + 2 m, Y, X)`` float32, normalised, with a margin of ``m`` slices.
    target : numpy.ndarray
        ``(K, Z, Y, X)`` float32, normalised: what networks are to give.
    known : numpy.ndarray
        ``(1, Z, Y, X)`` bool: where the target was measured.
    judged : bool
        Whether it is there to judge by.
    """

    image: NDArray[np.float32]
    target: NDArray[np.float32]
    known: NDArray[np.bool_]
    judged: bool = False

    @property
    def shape(self) -> Triple:
        """(Z, Y, X) without margin."""
        z, y, x = self.target.shape[1:]
        return z, y, x

    @property
    def has_gaps(self) -> bool:
        """Whether a voxel was not measured."""
        return not self.known.all()


@dataclass(frozen=True)
class ImagePair:
    """An image and what is to be made of it; the same where nobody has another.

    Attributes
    ----------
    image, target : Volume
        Of one shape.
    seen, wanted : Normalisation
        Of image and target.
    judged : sequence of int
        Slices, pictures of their own, that are there to judge by; nothing is learned
        of them.
    """

    image: Volume
    target: Volume
    seen: Normalisation
    wanted: Normalisation
    judged: Sequence[int] = ()

    def tile(self, start: NDArray[np.int64], size: Triple, margin: int) -> ImageTile:
        """Read a block, mirrored where the volume is smaller."""
        stop = start + size
        image = read_mirrored(self.image, self.seen, start, stop, (margin, 0, 0))
        inside = slice(margin, margin + size[0])
        if self.target is self.image:
            target = image[:, inside]
        else:
            target = read_mirrored(self.target, self.wanted, start, stop, (0, 0, 0))
        judged = int(start[0]) in self.judged
        return ImageTile(image, target, self.known(start, stop), judged)

    def known(
        self, start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Where the target was measured, ``(1, Z, Y, X)``."""
        first = tuple(slice(int(s), int(s) + 1) for s in start)
        most = self.target.around(first)  # type: ignore[arg-type]
        ends = np.minimum(stop, [part.stop for part in most])
        z, y, x = (slice(int(s), int(e)) for s, e in zip(start, ends, strict=True))
        known = self.wanted.known(self.target.read((z, y, x))).all(0, keepdims=True)
        pad = [(0, 0), *((0, int(n)) for n in stop - ends)]
        return np.pad(known, pad, mode="symmetric")


def read_image_tiles(
    pair: ImagePair,
    patch: Triple,
    margin: int,
    seed: int,
    *,
    alike: int = ALIKE,
    gaps: bool = False,
) -> Generator[Event, None, list[ImageTile]]:
    """Read blocks at random places, none of which overlap, until memory is used up.

    Parameters
    ----------
    pair : ImagePair
        What is read.
    patch : tuple of int
        (z, y, x) size of a patch: no block is smaller.
    margin : int
        Slices above and below each block.
    seed : int
        Decides which blocks are read.
    alike : int
        Neighbouring slices that show much the same, and stay together if they can.
    gaps : bool
        Whether a block with gaps is wanted: if none of those that were read has any,
        all others are asked, and the last makes room.

    Yields
    ------
    Progress

    Raises
    ------
    VolumeError
        If what was measured of one of the images has one grey value only.
    """
    size = _size(pair.image, patch, alike)
    starts = _starts(pair.image, size, seed)
    channels = pair.image.channels + pair.target.channels
    most = max(2, MEMORY // (4 * channels * int(np.prod(size))))
    starts, rest = _chosen(starts, pair.judged, most)
    tiles = []
    for number, start in enumerate(starts):
        tiles.append(pair.tile(start, size, margin))
        yield Progress(number + 1, len(starts), "reading blocks")
    if gaps and not any(tile.has_gaps for tile in tiles):
        place = yield from _first_with_gaps(pair, rest, size)
        if place is not None:
            tiles[-1] = pair.tile(place, size, margin)
    _check_contrast(pair, tiles)
    return tiles


def hold_out(tiles: Sequence[ImageTile]) -> tuple[list[ImageTile], list[ImageTile]]:
    """Part blocks into those that are learned from and those that are judged by.

    The latter are those that were set aside; where none were, the first of all.
    """
    held = [tile for tile in tiles if tile.judged]
    held = held or list(tiles[: max(1, len(tiles) // HELD_OUT)])
    return list(tiles[len(held) :]) or held, held


def _chosen(
    starts: NDArray[np.int64], judged: Sequence[int], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Blocks that are read, those to judge by first, and blocks that are not read."""
    aside = np.isin(starts[:, 0], list(judged))
    held, learned = starts[aside][: max(1, most // HELD_OUT)], starts[~aside]
    room = most - len(held)
    return np.concatenate([held, learned[:room]]), learned[room:]


def _first_with_gaps(
    pair: ImagePair, starts: NDArray[np.int64], size: Triple
) -> Generator[Event, None, NDArray[np.int64] | None]:
    """Find a block where something was not measured."""
    for number, start in enumerate(starts):
        if not pair.known(start, start + size).all():
            found: NDArray[np.int64] = start
            return found
        yield Progress(number + 1, len(starts), "looking for gaps")
    return None


def _least(volume: Volume) -> Triple:
    """Size of what fits into each frame of a volume, whose pictures may differ."""
    depth = volume.stacking.depth
    sizes = np.array([volume.extent(z) for z in range(0, volume.shape[0], depth)])
    height, width = sizes.min(axis=0).tolist()
    return depth, height, width


def _check_contrast(pair: ImagePair, tiles: list[ImageTile]) -> None:
    """Refuse what teaches nothing: a loss of 0 would look like success."""
    for volume, values in (
        (pair.image, [tile.image.ravel() for tile in tiles]),
        (pair.target, [tile.target[:, tile.known[0]].ravel() for tile in tiles]),
    ):
        ends = [(part.min(), part.max()) for part in values if part.size]
        if ends and min(low for low, _ in ends) == max(high for _, high in ends):
            raise VolumeError(
                f"{volume.name!r} has one grey value everywhere: there is nothing to "
                "learn from it.",
                "Choose another image, or a part of it with something to see.",
            )


def _size(volume: Volume, patch: Triple, alike: int) -> Triple:
    """Size of blocks of which there are some to hold out, with room to move a patch.

    Where all patches of a block lie at one place, gaps are hidden where gaps are.
    """
    least = _least(volume)
    deep = max(patch[0], min(alike, least[0])), *patch[1:]
    most = [max(b, ROOM * p) for b, p in zip(BLOCK, patch, strict=True)]
    cuts = [-(-n // m) for n, m in zip(least, most, strict=True)]
    while volume.stacking.count * prod(cuts) < FEW:
        room = [n / (cut + 1) / p for n, cut, p in zip(least, cuts, deep, strict=True)]
        widest = int(np.argmax(room))
        if room[widest] < 1:
            break
        cuts[widest] += 1
    z, y, x = (
        max(p, -(-n // cut)) for n, cut, p in zip(least, cuts, patch, strict=True)
    )
    return z, y, x


def _starts(volume: Volume, size: Triple, seed: int) -> NDArray[np.int64]:
    """Corners ``(n, 3)`` of all blocks side by side in a frame, in random order."""
    depth = volume.stacking.depth
    corners = [
        (first + z, y, x)
        for first in range(0, volume.shape[0], depth)
        for sides in [volume.extent(first)]
        for z in _along(depth, size[0])
        for y in _along(sides[0], size[1])
        for x in _along(sides[1], size[2])
    ]
    return np.random.default_rng(seed).permutation(np.array(corners, np.int64))


def _along(length: int, step: int) -> list[int]:
    """Starts of blocks side by side; the last one ends where the axis does."""
    starts = np.minimum(np.arange(0, length, step), max(length - step, 0))
    return [int(start) for start in np.unique(starts)]
