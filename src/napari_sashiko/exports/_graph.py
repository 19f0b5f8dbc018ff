"""An ensemble's networks as one module: grey values in, mean and deviation out."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_sashiko.checkpoints import ModelCard
from napari_sashiko.networks import Network


@dataclass(frozen=True)
class Voice:
    """A network of a model and what its word counts.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the CPU.
    neighbours : int
        Slices on either side that a 2D network sees as channels.
    weight : float
        Share in the mean, among the networks.
    """

    network: Network
    neighbours: int
    weight: float


class EnsembleGraph(nn.Module):
    """What `Ensemble.predict` does, from the grey values on, without files or devices.

    A single network has no deviation: then there is the mean alone.

    Parameters
    ----------
    card : ModelCard
        What the model is.
    voices : sequence of Voice
        Its networks; their weights sum to 1.
    """

    low: Tensor
    high: Tensor
    center: Tensor
    scale: Tensor
    factors: Tensor
    grey: Tensor
    contrast: Tensor

    def __init__(self, card: ModelCard, voices: Sequence[Voice]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(each.network.folded() for each in voices)
        self._neighbours = [each.neighbours for each in voices]
        self._weights = [each.weight for each in voices]
        self._restores = card.restoring is not None
        self._missing = card.normalisation.missing
        self._power = 1.0 / card.temperature
        self._corrects = bool(card.correction) or card.temperature != 1.0
        for name in ("low", "high", "center", "scale"):
            self.register_buffer(name, _column(getattr(card.normalisation, name)))
        self.register_buffer("factors", _column(card.correction or (1.0,)))
        if card.restoring is not None:
            self.register_buffer("grey", _column(card.restoring.target.center))
            self.register_buffer("contrast", _column(card.restoring.target.scale))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What `forward` returns."""
        return ("mean", "std") if len(self.networks) > 1 else ("mean",)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Mean and deviation ``(B, K, Z, Y, X)`` of grey values ``(B, C, Z, Y, X)``."""
        seen = self._normalised(image)
        shares = [self._said(place, seen) for place in range(len(self.networks))]
        mean = torch.zeros_like(shares[0])
        for share, weight in zip(shares, self._weights, strict=True):
            mean = mean + weight * share
        if len(shares) == 1:
            return (self._grey(mean),)
        squares = torch.zeros_like(mean)
        for share, weight in zip(shares, self._weights, strict=True):
            squares = squares + weight * (share - mean) ** 2
        std = squares.clamp_min(0).sqrt()
        return self._grey(mean), std * self.contrast if self._restores else std

    def _grey(self, mean: Tensor) -> Tensor:
        return mean * self.contrast + self.grey if self._restores else mean

    def _said(self, place: int, seen: Tensor) -> Tensor:
        answer = self._answer(place, seen)
        return answer if self._restores else self._corrected(answer.softmax(1))

    def _normalised(self, image: Tensor) -> Tensor:
        clipped = torch.minimum(torch.maximum(image, self.low), self.high)
        seen = (clipped - self.center) / self.scale
        known = torch.isfinite(image)
        if self._missing is not None:
            known = known & (image != self._missing)
        return torch.where(known, seen, torch.zeros_like(seen))

    def _answer(self, place: int, seen: Tensor) -> Tensor:
        network = self.networks[place]
        if network.dims == 3:
            logits: Tensor = network(seen)
            return logits
        slabs = _with_neighbours(seen, self._neighbours[place])
        batch, depth = seen.shape[0], seen.shape[2]
        flat: Tensor = network(slabs.flatten(0, 1))
        return flat.reshape((batch, depth, *flat.shape[1:])).transpose(1, 2)

    def _corrected(self, shares: Tensor) -> Tensor:
        if not self._corrects:
            return shares
        shares = (shares * self.factors) ** self._power
        return shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12)


def _with_neighbours(seen: Tensor, neighbours: int) -> Tensor:
    """Every slice with its neighbours as channels, mirrored at the ends.

    Parameters
    ----------
    seen : Tensor
        ``(B, C, Z, Y, X)``, with at least `neighbours` slices.

    Returns
    -------
    Tensor
        ``(B, Z, C * (2 * neighbours + 1), Y, X)``, slices of a channel side by side.
    """
    depth = seen.shape[2]
    if neighbours:
        before = seen[:, :, :neighbours].flip(2)
        behind = seen[:, :, depth - neighbours :].flip(2)
        seen = torch.cat((before, seen, behind), dim=2)
    shifted = [seen[:, :, start : start + depth] for start in range(2 * neighbours + 1)]
    return torch.stack(shifted, dim=2).flatten(1, 2).transpose(1, 2)


def _column(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1, 1)
