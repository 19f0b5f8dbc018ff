"""Which of a network's epochs was the best, and how all of them went."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.networks import Network


@dataclass(frozen=True)
class Best:
    """A copy of the weights of one epoch and what they say.

    Attributes
    ----------
    state : dict
        Tensors, on the CPU.
    loss : float
        On what was held out.
    logits : numpy.ndarray or None
        ``(N, K)`` of the held-out voxels; None where nothing could be held out.
    held_out : object
        What it was judged on.
    """

    state: dict[str, torch.Tensor]
    loss: float = math.inf
    logits: NDArray[np.float32] | None = None
    held_out: Any = None


@dataclass
class Outcome:
    """How far a training is; another thread may read it at any time.

    Attributes
    ----------
    best : Best or None
        The best epoch so far; None before the first one.
    history : list of dict
        Scores by epoch.
    """

    best: Best | None = None
    history: list[dict[str, float]] = field(default_factory=list)

    def forget(self) -> None:
        """Keep the best weights only until there are others: the paint has changed."""
        if self.best is not None:
            self.best = Best(self.best.state)

    def keep_if_best(
        self,
        network: Network,
        loss: float,
        logits: NDArray[np.float32] | None = None,
        held_out: Any = None,
    ) -> None:
        """Copy a network unless an earlier epoch had a lower loss."""
        if loss <= (math.inf if self.best is None else self.best.loss):
            self.best = Best(copy_state(network), loss, logits, held_out)

    def keep(self, network: Network) -> None:
        """Copy a network that nothing was held out for: the last one is the best."""
        self.best = Best(copy_state(network))


def copy_state(network: Network) -> dict[str, torch.Tensor]:
    """Copy a network's tensors to the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True)
        for name, tensor in network.state_dict().items()
    }
