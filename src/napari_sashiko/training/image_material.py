"""Images as a network learns to restore them."""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sashiko.losses import ImageLoss, total_variation
from napari_sashiko.networks import Network
from napari_sashiko.runners import Event, Tick, turn
from napari_sashiko.training._answer import answer
from napari_sashiko.training.corruptions import Corruption
from napari_sashiko.training.drawn import drawn_of
from napari_sashiko.training.image_tiles import ImageTile
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.training.tiles import Triple
from napari_sashiko.transforms import Transform

JUDGED = 32  # patches that networks are judged on


@dataclass(frozen=True, eq=False)
class ImageBatch:
    """Patches, and what is to be made of them.

    Attributes
    ----------
    images : torch.Tensor
        ``(B, C, *S)``, as the network is to see them.
    targets : torch.Tensor
        ``(B, K, *S)``.
    weight : torch.Tensor
        ``(B, 1, *S)``, 0 where a voxel does not count.
    loss : callable
        Of two images and weights.
    flatness : float
        Weight of the total variation.
    base : sequence of int
        Channels of `images` that what the network says is added to; none where it is
        all there is.
    where : torch.Tensor, optional
        ``(B, *S)`` bool: the voxels that were drawn to learn from.
    """

    images: Tensor
    targets: Tensor
    weight: Tensor
    loss: ImageLoss
    flatness: float = 0.0
    base: Sequence[int] = ()
    where: Tensor | None = None
    is_least = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing counts."""
        return not bool(self.weight.any())

    def thinned(self, most: int, generator: torch.Generator) -> Self:
        """Learn from at most so many voxels of a patch.

        From all where the image is to be flat: a total variation compares neighbours,
        which are seldom drawn together.
        """
        if self.flatness:
            return self
        where = drawn_of(self.weight.any(dim=1), most, generator)
        return replace(self, weight=self.weight * where.unsqueeze(1), where=where)

    def losses(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Loss with the total variation, and without."""
        output = self.complete(output)
        loss = self.loss(output, self.targets, self.weight)
        if not self.flatness:
            return loss, loss
        return loss + self.flatness * total_variation(output), loss

    def complete(self, output: Tensor) -> Tensor:
        """The image that a network means."""
        output = output.float()
        return output + self.images[:, self.base] if self.base else output


class ImageSampler:
    """Draws patches of images at random places of blocks.

    Parameters
    ----------
    tiles : sequence of ImageTile
        The blocks; none smaller than a patch.
    patch : tuple of int
        (z, y, x); z = 1 for 2D.
    margin : int
        Slices on either side of a block; they become channels.
    device : torch.device
        Where patches are wanted.
    others : sequence of ImageTile
        Blocks whose gaps are drawn where these have none.
    """

    def __init__(
        self,
        tiles: Sequence[ImageTile],
        patch: Triple,
        margin: int,
        device: torch.device,
        *,
        others: Sequence[ImageTile] = (),
    ) -> None:
        self.tiles = tiles
        self.patch = patch
        self.margin = margin
        self.device = device
        self._pierced = _pierced(tiles) or _pierced(others)

    @property
    def has_gaps(self) -> bool:
        """Whether there is anything that was not measured."""
        return bool(self._pierced)

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw patches.

        Returns
        -------
        images : torch.Tensor
            ``(B, C, [z,] y, x)``; for 2D with neighbours in the channels.
        targets : torch.Tensor
            ``(B, K, [z,] y, x)``.
        known, holes : torch.Tensor
            ``(B, 1, [z,] y, x)``: 1 where the target was measured; 1 where nothing
            was measured at another place.
        """
        parts = [self._cut(rng) for _ in range(count)]
        images, targets, known = map(np.stack, zip(*parts, strict=True))
        holes = np.stack([self._holes(rng) for _ in range(count)])
        found = [torch.from_numpy(each) for each in (images, targets, known, holes)]
        if self.patch[0] == 1:
            found = [each.flatten(1, 2) for each in found]
        with turn(self.device):
            image, target, measured, pierced = (each.to(self.device) for each in found)
        return image, target, measured, pierced

    def _cut(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        tile = self.tiles[int(rng.integers(len(self.tiles)))]
        start = [
            int(rng.integers(n - p + 1))
            for n, p in zip(tile.shape, self.patch, strict=True)
        ]
        z, y, x = (slice(s, s + p) for s, p in zip(start, self.patch, strict=True))
        deep = slice(z.start, z.stop + 2 * self.margin)
        known = tile.known[:, z, y, x].astype(np.float32)
        return tile.image[:, deep, y, x], tile.target[:, z, y, x], known

    def _holes(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """What was not measured around a voxel that was not measured."""
        if not self._pierced:
            return np.zeros((1, *self.patch), np.float32)
        tile, places = self._pierced[int(rng.integers(len(self._pierced)))]
        place = places[rng.integers(len(places))]
        start = [
            int(np.clip(at - rng.integers(p), 0, n - p))
            for at, n, p in zip(place, tile.shape, self.patch, strict=True)
        ]
        z, y, x = (slice(s, s + p) for s, p in zip(start, self.patch, strict=True))
        return (~tile.known[:, z, y, x]).astype(np.float32)


def _pierced(tiles: Sequence[ImageTile]) -> list[tuple[ImageTile, NDArray[np.int64]]]:
    """Blocks with gaps, and the voxels ``(n, 3)`` in them."""
    return [(tile, np.argwhere(~tile.known[0])) for tile in tiles if tile.has_gaps]


@dataclass(frozen=True, eq=False)
class ImageMaterial:
    """What one network learns from and is judged on: images.

    Attributes
    ----------
    sampler : ImageSampler
        Draws patches.
    held_out : sequence of ImageBatch
        Patches of other blocks.
    transform : callable
        Flips and rotations.
    corruption : callable
        What is hidden.
    loss : callable
        Of two images and weights.
    flatness : float
        Weight of the total variation.
    base : sequence of int
        As in `ImageBatch`.
    """

    sampler: ImageSampler
    held_out: Sequence[ImageBatch]
    transform: Transform
    corruption: Corruption
    loss: ImageLoss
    flatness: float = 0.0
    base: Sequence[int] = ()

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        generator: torch.Generator,
        *,
        lean: bool = False,
    ) -> ImageBatch:
        """Draw patches and hide a part of them."""
        del lean
        images, *beside = self.sampler.draw(count, rng)
        channels = [each.shape[1] for each in beside]
        images, together = self.transform(images, torch.cat(beside, 1), generator)
        targets, known, holes = torch.split(together, channels, dim=1)
        seen, weight = self.corruption(images, known, holes, generator)
        return ImageBatch(seen, targets, weight, self.loss, self.flatness, self.base)

    def judge(
        self, network: Network, outcome: Outcome
    ) -> Generator[Event, None, dict[str, float]]:
        """Mean loss over what was held out."""
        return (yield from judge_images(network, self.held_out, outcome))


def judge_images(
    network: Network, held_out: Sequence[ImageBatch], outcome: Outcome
) -> Generator[Event, None, dict[str, float]]:
    """Mean loss over what was held out; the network is kept if it is the best."""
    network.eval()
    found = []
    for batch in held_out:
        with torch.no_grad():
            said = answer(network, batch.images).to(batch.images.device)
            output = batch.complete(said)
            loss = batch.loss(output, batch.targets, batch.weight)
        found.append(float(loss))
        yield Tick()
    if not found:
        outcome.keep(network)
        return {"valid_loss": math.nan}
    mean = float(np.mean(found))
    outcome.keep_if_best(network, mean, held_out=held_out)
    return {"valid_loss": mean}


def held_out_batches(
    draw: Callable[[int, np.random.Generator, torch.Generator], ImageBatch],
    batch: int,
    seed: int,
) -> list[ImageBatch]:
    """Batches that stay the same, so that epochs can be compared."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    count = max(1, JUDGED // batch)
    drawn = (draw(batch, rng, generator) for _ in range(count))
    return [each for each in drawn if not each.is_empty]
