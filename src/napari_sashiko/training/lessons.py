"""Patches from random places and what a teacher says about them."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Lessons:
    """Patches from all over the volume and what a forest says there.

    Attributes
    ----------
    images : torch.Tensor
        ``(N, C, [z,] y, x)`` float32; for 2D with neighbouring slices in the channels.
    answers : torch.Tensor
        ``(N, K, [z,] y, x)`` float32, probabilities.
    weight : float
        Of the loss on answers against the loss on paint.
    """

    images: torch.Tensor
    answers: torch.Tensor
    weight: float

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw ``count`` patches with their answers."""
        picks = torch.from_numpy(rng.integers(len(self.images), size=count))
        picks = picks.to(self.images.device)
        return self.images[picks], self.answers[picks]
