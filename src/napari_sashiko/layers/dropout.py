"""Dropout that leaves the global random state alone."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Values set to zero at random while training; in evaluation nothing happens.

    What is left is divided by the share of what is left, so that means stay. Source:
    Srivastava et al., J. Mach. Learn. Res. 15, 1929 (2014).

    Parameters
    ----------
    share : float
        Share of values that are set to zero, in [0, 1).
    seed : int
        Decides which; each call draws others.
    """

    def __init__(self, share: float, *, seed: int) -> None:
        super().__init__()
        self.share = share
        self._seed, self._drawn = seed, 0

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of a tensor of any shape."""
        if not self.training or not self.share:
            return x
        self._drawn += 1
        generator = torch.Generator(x.device)
        generator.manual_seed(self._seed + 1_000_003 * self._drawn)
        dropped = torch.empty(x.shape, dtype=torch.bool, device=x.device)
        dropped.bernoulli_(self.share, generator=generator)
        return x.masked_fill(dropped, 0.0) / (1 - self.share)
