"""A layer in which every value looks at every other."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers.initialisation import fill_normal, kaiming_std


class Dense(nn.Module):
    """A matrix and a bias on the last axis.

    Parameters
    ----------
    inputs, outputs : int
        Values before and after.
    generator : torch.Generator
        Draws the initial weights (Kaiming, see `kaiming_std`).
    gain : float
        Gain of the initial weights; 1 for a layer with no ReLU behind it.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        generator: torch.Generator,
        gain: float = 2.0**0.5,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        fill_normal(self.weight, kaiming_std(inputs, gain=gain), generator)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply ``(..., inputs)`` to ``(..., outputs)``."""
        return functional.linear(x, self.weight, self.bias)
