"""Patches as an encoder learns to make them again."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from napari_sashiko.losses import IMAGE_LOSSES
from napari_sashiko.networks import Coded, Network
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training.image_material import ImageSampler
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.transforms import Transform


@dataclass(frozen=True, eq=False)
class PatchBatch:
    """Patches that are to be made again.

    Attributes
    ----------
    images : torch.Tensor
        ``(B, C, Y, X)``.
    weight : torch.Tensor
        ``(B, 1, Y, X)``, 0 where nothing was measured.
    """

    images: Tensor
    weight: Tensor
    is_least = True
    where = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing counts."""
        return not bool(self.weight.any())

    def thinned(self, most: int, generator: torch.Generator) -> Self:
        """All of it: encoders make whole patches."""
        del most, generator
        return self

    def losses(self, output: Coded) -> tuple[Tensor, Tensor]:
        """Mean squared difference with the penalty on latents, and without."""
        loss = IMAGE_LOSSES["l2"](output.image.float(), self.images, self.weight)
        return loss + output.penalty, loss


@dataclass(frozen=True, eq=False)
class PatchMaterial:
    """What an encoder learns from and is judged on.

    Attributes
    ----------
    sampler : ImageSampler
        Draws patches.
    held_out : sequence of PatchBatch
        Patches of other blocks.
    transform : callable
        Flips and rotations.
    """

    sampler: ImageSampler
    held_out: Sequence[PatchBatch]
    transform: Transform

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        generator: torch.Generator,
        *,
        lean: bool = False,
    ) -> PatchBatch:
        """Draw patches, turned at random."""
        del lean
        images, _, known, _ = self.sampler.draw(count, rng)
        return PatchBatch(*self.transform(images, known, generator))

    def judge(
        self, network: Network, outcome: Outcome
    ) -> Generator[Event, None, dict[str, float]]:
        """Mean loss over what was held out, with the penalty, as it is learned."""
        network.eval()
        found = []
        for batch in self.held_out:
            with torch.no_grad():
                total, _ = batch.losses(network(batch.images))
            found.append(float(total))
            yield Tick()
        mean = float(np.mean(found))
        outcome.keep_if_best(network, mean, held_out=self.held_out)
        return {"valid_loss": mean}


def patches_of(
    sampler: ImageSampler, count: int, size: int, seed: int
) -> list[PatchBatch]:
    """Draw `count` patches as they are, in batches of at most `size`.

    The same seed draws the same patches. Batches that nobody measured are left out.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for done in range(0, count, size):
        images, _, known, _ = sampler.draw(min(size, count - done), rng)
        drawn.append(PatchBatch(images, known))
    return [each for each in drawn if not each.is_empty]
