"""How good a network is on held-out strokes, and which of its epochs was the best."""

import copy
import math
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.networks import Network
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training.sampler import held_out_logits
from napari_sashiko.training.supply import HeldOut


@dataclass(frozen=True)
class Best:
    """A copy of the weights of one epoch and what they say.

    Attributes
    ----------
    state : dict
        Tensors, on the CPU.
    loss : float
        Held-out cross entropy.
    logits : numpy.ndarray or None
        ``(N, K)`` of the held-out voxels; None where nothing could be held out.
    held_out : HeldOut or None
        These voxels.
    """

    state: dict[str, torch.Tensor]
    loss: float = math.inf
    logits: NDArray[np.float32] | None = None
    held_out: HeldOut | None = None


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


def judge(
    network: Network, held_out: HeldOut, outcome: Outcome
) -> Generator[Event, None, dict[str, float]]:
    """Score a network in evaluation mode and keep a copy of it if it is the best."""
    network.eval()
    parts = []
    for tile, rows in held_out.tiles:
        with torch.no_grad():
            parts.append(held_out_logits(network, tile, rows))
        yield Tick()
    if not parts:
        # Nothing could be held out: the last epoch is all there is to go by.
        outcome.best = Best(copy_state(network))
        return {"valid_loss": math.nan, "macro_f1": math.nan}
    logits = torch.cat(parts)
    truth = torch.from_numpy(held_out.values.astype(np.int64))
    loss = _loss_at_best_temperature(logits, truth - 1)
    matrix = ConfusionMatrix(logits.shape[1])
    matrix.update(logits.softmax(1).T.numpy(), held_out.values)
    score = matrix.compute().macro_f1
    if loss <= (math.inf if outcome.best is None else outcome.best.loss):
        outcome.best = Best(copy_state(network), loss, logits.numpy(), held_out)
    return {"valid_loss": loss, "macro_f1": score}


def _loss_at_best_temperature(logits: torch.Tensor, channels: torch.Tensor) -> float:
    """Cross entropy after temperature scaling.

    Being too sure is mended later; without this, an early epoch that knows little but
    doubts much would be kept.
    """
    return min(
        float(torch.nn.functional.cross_entropy(logits / t, channels))
        for t in (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
    )


def copy_state(network: Network) -> dict[str, torch.Tensor]:
    """Copy a network's tensors to the CPU."""
    return {
        name: copy.deepcopy(tensor.detach()).cpu()
        for name, tensor in network.state_dict().items()
    }
