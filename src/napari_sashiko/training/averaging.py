"""A moving average of a network: steadier than the network at any one step."""

import copy

import torch

from napari_sashiko.networks import Network

DECAY = 0.99  # share that stays at each step: a memory of about a hundred steps


class Average:
    """Exponential moving average of weights and running statistics.

    Polyak & Juditsky, SIAM J. Control Optim. 30, 838 (1992); early steps are forgotten
    faster, as in Tarvainen & Valpola, NeurIPS 2017, so that the average is of use from
    the first epoch on.

    Parameters
    ----------
    network : Network
        Left as it is; the average begins as its copy.

    Attributes
    ----------
    network : Network
        The average, in evaluation mode.
    """

    def __init__(self, network: Network) -> None:
        self.network = copy.deepcopy(network).eval()
        self._steps = 0

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Follow a step of the network."""
        self._steps += 1
        decay = min(DECAY, self._steps / (self._steps + 9))
        mine, theirs = self.network.state_dict(), network.state_dict()
        for name, tensor in mine.items():
            if tensor.is_floating_point():
                tensor.lerp_(theirs[name], 1 - decay)
            else:
                tensor.copy_(theirs[name])
