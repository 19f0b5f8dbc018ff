"""What a network learns from and is judged on, exchanged while it learns."""

from collections.abc import Generator
from typing import Any, Protocol

import numpy as np
import torch

from napari_sashiko.networks import Network
from napari_sashiko.runners import Event
from napari_sashiko.training.outcome import Outcome


class Batch(Protocol):
    """What one step learns from."""

    @property
    def images(self) -> torch.Tensor:
        """``(B, C, *S)``, as the network is to see them."""
        ...

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be learned from it."""
        ...

    @property
    def where(self) -> torch.Tensor | None:
        """``(B, *S)`` bool: the voxels that were drawn; None where all may count."""
        ...

    @property
    def is_least(self) -> bool:
        """Whether nothing can be left out of it to save memory, but patches."""
        ...

    def thinned(self, most: int, generator: torch.Generator) -> "Batch":
        """Learn from some voxels only; others then enter no loss.

        Parameters
        ----------
        most : int
            Voxels of each patch at most, drawn from those that count.
        generator : torch.Generator
            The only source of randomness.
        """
        ...

    def losses(self, output: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """What is made small, and the part of it that is told of; both scalars.

        Parameters
        ----------
        output : torch.Tensor or Coded
            What the network says of `images`: ``(B, K, *S)``, or what an encoder says.
        """
        ...


class Material(Protocol):
    """What one network learns from and is judged on."""

    @property
    def held_out(self) -> object:
        """What it is judged on; another object where that has changed."""
        ...

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        generator: torch.Generator,
        *,
        lean: bool = False,
    ) -> Batch:
        """Draw patches, changed at random.

        Parameters
        ----------
        count : int
            Patches.
        rng, generator
            The only sources of randomness.
        lean : bool
            Leave out what can be left out.
        """
        ...

    def judge(
        self, network: Network, outcome: Outcome
    ) -> Generator[Event, None, dict[str, float]]:
        """Score a network, and keep a copy of it in `outcome` if it is the best.

        Returns
        -------
        dict
            Scores by name: ``valid_loss``, and what else there is to know.
        """
        ...


class Supply:
    """Hands its material to one network in another thread.

    Parameters
    ----------
    material : Material
        What there is at first; assign another to exchange it.
    endless : bool
        Whether there may be more paint when all is learned.

    Attributes
    ----------
    resting : bool
        Whether the network has learned what there is and waits for more paint.
    held_back : bool
        Whether nothing is to be learned from the material now.
    """

    def __init__(self, material: Material, *, endless: bool = False) -> None:
        self.material = material
        self.endless = endless
        self.resting = False
        self.held_back = False
