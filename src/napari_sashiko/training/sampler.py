"""Training patches: drawn around labelled voxels, evenly."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.networks import Network
from napari_sashiko.training._answer import answer
from napari_sashiko.training.tiles import Tile, Triple


class Sampler:
    """Draws patches with their labels, on the device that learns from them.

    Every labelled voxel is equally likely to be the one that a patch is drawn around:
    balancing classes instead costs calibration on thin ones.

    Parameters
    ----------
    tiles : sequence of Tile
        With a margin of at least half a patch, and ``neighbours`` in z.
    values : numpy.ndarray
        ``(N,)`` label of each voxel, 1..C by channel.
    train : numpy.ndarray
        ``(N,)`` bool: the voxels that may be learned from.
    patch : tuple of int
        (z, y, x) size; z = 1 for 2D.
    neighbours : int
        Slices on either side that become channels.
    device : torch.device, optional
        Where tiles are kept and patches are cut; the CPU when None.
    images : sequence of torch.Tensor
        Those of the tiles, there already; several samplers may share them.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        values: NDArray[np.uint8],
        train: NDArray[np.bool_],
        patch: Triple,
        neighbours: int,
        *,
        device: torch.device | None = None,
        images: Sequence[torch.Tensor] = (),
    ) -> None:
        self.tiles = tiles
        self.patch = patch
        self.neighbours = neighbours
        self._images = list(images) or images_on(device, tiles)
        self._targets = [
            torch.from_numpy(self._target(tile, values, train)).to(device)
            for tile in tiles
        ]
        picks = [np.flatnonzero(train[tile.rows]) for tile in tiles]
        self._tile_of = np.repeat(np.arange(len(tiles)), [len(p) for p in picks])
        self._row_of = np.concatenate(picks) if picks else np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Labelled voxels that patches can be drawn around."""
        return len(self._row_of)

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw patches.

        Returns
        -------
        images : torch.Tensor
            ``(count, C, [z,] y, x)`` float32; for 2D with neighbours in the channels.
        targets : torch.Tensor
            ``(count, [z,] y, x)`` uint8, 0 where nothing is to be learned.
        """
        images, targets = [], []
        for pick in rng.integers(len(self), size=count):
            place = self._tile_of[pick]
            tile, row = self.tiles[place], self._row_of[pick]
            # Half a patch of play: labels are seen at different places of a patch.
            jitter = [rng.integers(-(p // 4), p // 4 + 1) for p in self.patch]
            start = np.clip(tile.coords[row] + jitter, 0, np.array(tile.shape) - 1)
            image, target = self._cut(int(place), start)
            images.append(image)
            targets.append(target)
        x, y = torch.stack(images), torch.stack(targets)
        if self.patch[0] == 1:
            return x.flatten(1, 2), y[:, 0]
        return x, y

    def _cut(
        self, place: int, start: NDArray[np.int64]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        box = tuple(
            slice(int(s), int(s) + p) for s, p in zip(start, self.patch, strict=True)
        )
        deep = slice(box[0].start, box[0].stop + 2 * self.neighbours)
        return self._images[place][:, deep, box[1], box[2]], self._targets[place][box]

    def _target(
        self, tile: Tile, values: NDArray[np.uint8], train: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        margin = [p // 2 for p in self.patch]
        grown = [n + 2 * m for n, m in zip(tile.shape, margin, strict=True)]
        target = np.zeros(grown, np.uint8)
        places = tuple((tile.coords + margin).T)
        target[places] = np.where(train[tile.rows], values[tile.rows], 0)
        return target


def images_on(device: torch.device | None, tiles: Sequence[Tile]) -> list[torch.Tensor]:
    """Images of tiles on a device; the CPU when None."""
    return [torch.from_numpy(tile.image).to(device) for tile in tiles]


def held_out_logits(
    network: Network, tile: Tile, rows: NDArray[np.intp]
) -> torch.Tensor:
    """Logits of a network at some labelled voxels of a tile.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the device that is to work.
    tile : Tile
        The part of the volume; for a 2D network one slice thick, its margin in z being
        the neighbouring slices.
    rows : numpy.ndarray
        Places in ``tile.rows``.

    Returns
    -------
    torch.Tensor
        ``(len(rows), K)`` float32 on the CPU.
    """
    image = torch.from_numpy(tile.image).to(next(network.parameters()).device)
    grown = np.array(tile.image.shape[1:])
    z, y, x = (tile.coords[rows] + (grown - tile.shape) // 2).T
    if network.dims == 2:
        logits = answer(network, image.flatten(0, 1)[None])[0]
        return logits[:, y, x].T.float().cpu()
    logits = answer(network, image[None])[0]
    return logits[:, z, y, x].T.float().cpu()
