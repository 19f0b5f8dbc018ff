"""A model's networks as one module: grey values in, what they say of these out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_sashiko.checkpoints import ModelCard, ReconstructorEnsemble
from napari_sashiko.exports._filling import filled
from napari_sashiko.exports._levelling import Levelled
from napari_sashiko.exports._sewing import Sewn
from napari_sashiko.networks import Encoder, Network, Patchwise
from napari_sashiko.volumes import Normalisation


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


class GreyValues(nn.Module):
    """What `Normalisation` does.

    Parameters
    ----------
    normalisation : Normalisation
        Its constants, one for each channel.
    axes : int
        Of space.
    """

    low: Tensor
    high: Tensor
    center: Tensor
    scale: Tensor

    def __init__(self, normalisation: Normalisation, axes: int) -> None:
        super().__init__()
        self._missing = normalisation.missing
        for name in ("low", "high", "center", "scale"):
            self.register_buffer(name, _column(getattr(normalisation, name), axes))

    def known(self, image: Tensor) -> Tensor:
        """Which voxels of ``(B, C, *S)`` were measured."""
        known = torch.isfinite(image)
        return known if self._missing is None else known & (image != self._missing)

    def forward(self, image: Tensor) -> Tensor:
        """Normalise ``(B, C, *S)``; what nobody measured becomes 0."""
        clipped = torch.minimum(torch.maximum(image, self.low), self.high)
        seen = (clipped - self.center) / self.scale
        return torch.where(self.known(image), seen, torch.zeros_like(seen))


class EncoderGraph(nn.Module):
    """What `Explorer.look` says of patches first: a few numbers.

    Parameters
    ----------
    card : ModelCard
        What the model is.
    encoder : Encoder
        Its network, in evaluation mode, on the CPU.
    """

    outputs = ("latent",)

    def __init__(self, card: ModelCard, encoder: Encoder) -> None:
        super().__init__()
        self.networks = nn.ModuleList([encoder.folded()])
        self.normalised = GreyValues(card.normalisation, encoder.dims)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """Latents ``(B, latent)`` of grey values ``(B, C, Y, X)``."""
        encoder: Any = self.networks[0]
        return (encoder.encode(self.normalised(image)),)


class ReconstructorGraph(nn.Module):
    """What `ReconstructorEnsemble.predict` does: slices of sinograms.

    Parameters
    ----------
    ensemble : ReconstructorEnsemble
        On the CPU.
    """

    grey: Tensor
    contrast: Tensor

    def __init__(self, ensemble: ReconstructorEnsemble) -> None:
        super().__init__()
        self.networks = nn.ModuleList(each.folded() for each in ensemble.networks)
        weights = [entry.weight for entry in ensemble.card.members]
        self._weights = [weight / sum(weights) for weight in weights]
        self.normalised = GreyValues(ensemble.card.normalisation, 2)
        target = ensemble.made.target
        self.register_buffer("grey", _column(target.center, 2))
        self.register_buffer("contrast", _column(target.scale, 2))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What `forward` returns."""
        return _outputs(self.networks)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Slices ``(B, 1, size, size)`` of ``(B, 1, angles, detectors)``, deviation."""
        seen = self.normalised(image)
        said = [network(seen) for network in self.networks]
        mean, *std = _voted(said, self._weights)
        return (
            mean * self.contrast + self.grey,
            *(each * self.contrast for each in std),
        )


class EnsembleGraph(nn.Module):
    """What `Ensemble.predict` does, from the grey values on, without files or devices.

    A single network has no deviation: then there is the mean alone. Where only gaps are
    filled, what was measured stays as it is, as in `prediction`.

    Parameters
    ----------
    card : ModelCard
        What the model is.
    voices : sequence of Voice
        Its networks; their weights sum to 1.
    levels : bool
        Whether it levels pictures itself, of a model that sees them levelled.
    """

    factors: Tensor
    grey: Tensor
    contrast: Tensor

    def __init__(
        self, card: ModelCard, voices: Sequence[Voice], *, levels: bool = False
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_traceable(each.network) for each in voices)
        self.levelled = Levelled() if levels else nn.Identity()
        self._neighbours = [each.neighbours for each in voices]
        self._weights = [each.weight for each in voices]
        self._dims = card.dims
        self._restores = card.restoring is not None
        self._fills = card.restoring is not None and card.restoring.fills_gaps
        self._shows = card.restoring is not None and card.restoring.shows_gaps
        self._power = 1.0 / card.temperature
        self._corrects = bool(card.correction) or card.temperature != 1.0
        self.normalised = GreyValues(card.normalisation, 3)
        self.register_buffer("factors", _column(card.correction or (1.0,)))
        if card.restoring is not None:
            self.register_buffer("grey", _column(card.restoring.target.center))
            self.register_buffer("contrast", _column(card.restoring.target.scale))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What `forward` returns."""
        return _outputs(self.networks)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Mean and deviation ``(B, K, Z, Y, X)`` of grey values ``(B, C, Z, Y, X)``."""
        image = self.levelled(image)
        seen = self.normalised(image)
        if not self._fills:
            return self._grey(*self._voted(seen))
        known = self.normalised.known(image)
        rough = self._filled(seen, known.to(seen))
        # Networks say what the rough filling lacks.
        mean, *std = self._voted(self._shown(rough, known))
        mean, *std = self._grey(mean + rough, *std)
        return (
            torch.where(known, image, mean),
            *(torch.where(known, torch.zeros_like(each), each) for each in std),
        )

    def _voted(self, seen: Tensor) -> tuple[Tensor, ...]:
        """Mean and deviation of what the networks say."""
        shares = [self._said(place, seen) for place in range(len(self.networks))]
        return _voted(shares, self._weights)

    def _grey(self, mean: Tensor, *std: Tensor) -> tuple[Tensor, ...]:
        if not self._restores:
            return mean, *std
        return (
            mean * self.contrast + self.grey,
            *(each * self.contrast for each in std),
        )

    def _filled(self, seen: Tensor, known: Tensor) -> Tensor:
        """Fill ``(B, C, Z, Y, X)``, slice by slice where networks look at slices."""
        if self._dims == 3:
            made: Tensor = filled(seen, known, 3)
            return made
        batch, depth = seen.shape[0], seen.shape[2]
        planes = [each.transpose(1, 2).flatten(0, 1) for each in (seen, known)]
        made = filled(*planes, 2)
        return made.reshape((batch, depth, *made.shape[1:])).transpose(1, 2)

    def _shown(self, rough: Tensor, known: Tensor) -> Tensor:
        """Add a channel that says where all channels were measured."""
        if not self._shows:
            return rough
        return torch.cat([rough, known.all(1, keepdim=True).to(rough)], 1)

    def _said(self, place: int, seen: Tensor) -> Tensor:
        answer = self._answer(place, seen)
        return answer if self._restores else self._corrected(answer.softmax(1))

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


def _traceable(network: Network) -> nn.Module:
    """The network as tracers follow it at any size."""
    return Sewn(network) if isinstance(network, Patchwise) else network.folded()


def _outputs(networks: nn.ModuleList) -> tuple[str, ...]:
    return ("mean", "std") if len(networks) > 1 else ("mean",)


def _voted(said: Sequence[Tensor], weights: Sequence[float]) -> tuple[Tensor, ...]:
    """Mean and deviation by weights that sum to 1; of one network the mean alone."""
    mean = torch.zeros_like(said[0])
    for each, weight in zip(said, weights, strict=True):
        mean = mean + weight * each
    if len(said) == 1:
        return (mean,)
    squares = torch.zeros_like(mean)
    for each, weight in zip(said, weights, strict=True):
        squares = squares + weight * (each - mean) ** 2
    return mean, squares.clamp_min(0).sqrt()


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


def _column(values: Sequence[float], axes: int = 3) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, -1, *(1,) * axes)
