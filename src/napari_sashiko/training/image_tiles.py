"""Blocks at random places of a volume, from which patches of images are cut."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.runners import Event, Progress
from napari_sashiko.training.tiles import Triple, read_mirrored
from napari_sashiko.volumes import Normalisation, Stacking, Volume

MEMORY = 1 << 28  # bytes of all blocks together
BLOCK = (16, 160, 160)  # voxels of a block, without its margin in z


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
    """

    image: NDArray[np.float32]
    target: NDArray[np.float32]
    known: NDArray[np.bool_]

    @property
    def shape(self) -> Triple:
        """(Z, Y, X) without margin."""
        z, y, x = self.target.shape[1:]
        return z, y, x


@dataclass(frozen=True)
class ImagePair:
    """An image and what is to be made of it; the same where nobody has another.

    Attributes
    ----------
    image, target : Volume
        Of one shape.
    seen, wanted : Normalisation
        Of image and target.
    """

    image: Volume
    target: Volume
    seen: Normalisation
    wanted: Normalisation

    def tile(self, start: NDArray[np.int64], size: Triple, margin: int) -> ImageTile:
        """Read a block, mirrored where the volume is smaller."""
        stop = start + size
        image = read_mirrored(self.image, self.seen, start, stop, (margin, 0, 0))
        inside = slice(margin, margin + size[0])
        if self.target is self.image:
            target = image[:, inside]
        else:
            target = read_mirrored(self.target, self.wanted, start, stop, (0, 0, 0))
        return ImageTile(image, target, self._known(start, stop))

    def _known(
        self, start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        first = tuple(slice(int(s), int(s) + 1) for s in start)
        most = self.target.around(first)  # type: ignore[arg-type]
        ends = np.minimum(stop, [part.stop for part in most])
        z, y, x = (slice(int(s), int(e)) for s, e in zip(start, ends, strict=True))
        known = self.wanted.known(self.target.read((z, y, x))).all(0, keepdims=True)
        pad = [(0, 0), *((0, int(n)) for n in stop - ends)]
        return np.pad(known, pad, mode="symmetric")


def read_image_tiles(
    pair: ImagePair, patch: Triple, margin: int, seed: int
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

    Yields
    ------
    Progress
    """
    stack = pair.image.stacking
    size = _size((stack.depth, *stack.shape[1:]), patch)
    starts = _starts(stack, size, seed)
    channels = pair.image.channels + pair.target.channels
    most = max(2, MEMORY // (4 * channels * int(np.prod(size))))
    starts = starts[:most]
    tiles = []
    for number, start in enumerate(starts):
        tiles.append(pair.tile(start, size, margin))
        yield Progress(number + 1, len(starts), "reading blocks")
    return tiles


def _size(shape: Triple, patch: Triple) -> Triple:
    """A block is no larger than half the volume: some are held out."""
    z, y, x = (
        max(p, min(b, -(-n // 2) if axis else n))
        for axis, (n, p, b) in enumerate(zip(shape, patch, BLOCK, strict=True))
    )
    return z, y, x


def _starts(stack: Stacking, size: Triple, seed: int) -> NDArray[np.int64]:
    """Corners ``(n, 3)`` of all blocks side by side in a frame, in random order."""
    axes = [
        np.unique(np.minimum(np.arange(0, n, s), max(n - s, 0)))
        for n, s in zip((stack.depth, *stack.shape[1:]), size, strict=True)
    ]
    frames = np.arange(stack.count)[:, None] * stack.depth
    axes[0] = (frames + axes[0]).ravel()
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.random.default_rng(seed).permutation(corners)
