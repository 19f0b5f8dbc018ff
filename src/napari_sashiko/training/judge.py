"""How good a network is on held-out strokes."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.networks import Network
from napari_sashiko.runners import Event, Tick
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.training.sampler import held_out_logits
from napari_sashiko.training.tiles import Tile


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The voxels that a network is judged on.

    Attributes
    ----------
    tiles : sequence of (Tile, rows)
        Tiles with places in ``tile.rows``.
    values : numpy.ndarray
        ``(N,)`` labels 1..C, in the order of the tiles.
    rows : numpy.ndarray
        ``(N,)`` their places in the labelled voxels.
    version : int
        Of the paint that the places are meant in.
    """

    tiles: Sequence[tuple[Tile, NDArray[np.intp]]]
    values: NDArray[np.intp]
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    version: int = 0


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
        outcome.keep(network)
        return {"valid_loss": math.nan, "macro_f1": math.nan}
    logits = torch.cat(parts)
    truth = torch.from_numpy(held_out.values.astype(np.int64))
    loss = _loss_at_best_temperature(logits, truth - 1)
    matrix = ConfusionMatrix(logits.shape[1])
    matrix.update(logits.softmax(1).T.numpy(), held_out.values)
    score = matrix.compute().macro_f1
    outcome.keep_if_best(network, loss, logits.numpy(), held_out)
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
