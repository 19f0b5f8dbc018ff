"""Strokes as a network learns from them, and what the forest says elsewhere."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from napari_sashiko.losses import Loss, cross_entropy, soft_cross_entropy
from napari_sashiko.networks import Network
from napari_sashiko.runners import Event
from napari_sashiko.training.drawn import drawn_of
from napari_sashiko.training.judge import HeldOut, judge
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.training.sampler import Sampler
from napari_sashiko.transforms import Transform

TAUGHT = 0.5  # patches from random places for each one with paint


@dataclass(frozen=True, eq=False)
class PaintBatch:
    """Patches with paint, and perhaps some without.

    Attributes
    ----------
    painted, targets : torch.Tensor
        ``(B, C, *S)`` and ``(B, *S)``: patches with paint, 0 where there is none.
    loss : callable
        Of logits and paint.
    told : tuple of torch.Tensor, optional
        ``(U, C, *S)`` and ``(U, K, *S)``: patches without, and probabilities.
    weight : float
        Of the loss on probabilities against that on paint.
    where : torch.Tensor, optional
        ``(B + U, *S)`` bool: the voxels that were drawn to learn from.
    """

    painted: torch.Tensor
    targets: torch.Tensor
    loss: Loss = cross_entropy
    told: tuple[torch.Tensor, torch.Tensor] | None = None
    weight: float = 1.0
    where: torch.Tensor | None = None

    @property
    def images(self) -> torch.Tensor:
        """All patches in one go: running statistics know more than what is painted."""
        if self.told is None:
            return self.painted
        return torch.cat([self.painted, self.told[0]])

    @property
    def is_empty(self) -> bool:
        """Whether no patch has paint: then running statistics must not change."""
        return not bool((self.targets > 0).any())

    @property
    def is_least(self) -> bool:
        """Whether there are no lessons to leave out."""
        return self.told is None

    def thinned(self, most: int, generator: torch.Generator) -> Self:
        """Learn from at most so many painted voxels of a patch, and of one without."""
        seen = self.targets > 0
        if self.told is not None:
            anywhere = torch.ones_like(self.told[1][:, 0], dtype=torch.bool)
            seen = torch.cat([seen, anywhere])
        where = drawn_of(seen, most, generator)
        targets = self.targets * where[: len(self.targets)]
        return replace(self, targets=targets, where=where)

    def losses(self, output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss with the lessons, and that on paint."""
        count = len(self.painted)
        loss = self.loss(output[:count].float(), self.targets.long())
        if self.told is None:
            return loss, loss
        said, told = output[count:], self.told[1]
        if self.where is not None:
            here = self.where[count:]
            said, told = said.movedim(1, -1)[here], told.movedim(1, -1)[here]
        taught = soft_cross_entropy(said, told)
        return loss + self.weight * taught, loss


@dataclass(frozen=True, eq=False)
class PaintMaterial:
    """What one network learns from and is judged on: strokes.

    Attributes
    ----------
    sampler : Sampler
        Draws patches with paint.
    held_out : HeldOut
        Paint that the network does not see.
    transform : callable
        Flips and rotations.
    lessons : Lessons or None
        What the forest says elsewhere.
    loss : callable
        Of logits and paint.
    """

    sampler: Sampler
    held_out: HeldOut
    transform: Transform
    lessons: Lessons | None = None
    loss: Loss = cross_entropy

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        generator: torch.Generator,
        *,
        lean: bool = False,
    ) -> PaintBatch:
        """Draw patches with paint, and half as many without where there are lessons."""
        painted = self.transform(*self.sampler.draw(count, rng), generator)
        if self.lessons is None or lean:
            return PaintBatch(*painted, self.loss)
        told = self.lessons.draw(max(1, round(TAUGHT * count)), rng)
        told = self.transform(*told, generator)
        return PaintBatch(*painted, self.loss, told, self.lessons.weight)

    def judge(
        self, network: Network, outcome: Outcome
    ) -> Generator[Event, None, dict[str, float]]:
        """Score a network on the strokes that it does not see."""
        return judge(network, self.held_out, outcome)
