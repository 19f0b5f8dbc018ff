"""The ensemble: mean and standard deviation over members in one pass."""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.checkpoints.card import ModelCard
from napari_sashiko.checkpoints.member import Box, Member
from napari_sashiko.layers import fill_unknown
from napari_sashiko.runners import turn


class Ensemble:
    """Members that vote with their weights.

    Each member's probabilities are softmaxed first (a restored image is taken as it
    is); the mean is their weighted mean and the standard deviation the weighted
    *population* one across members (0 for a single network): DLSIA, J. Appl. Cryst. 57,
    392 (2024), section 4.2. A forest is many members, of which only the mean has a
    weight: its variance within is that of groups of its trees, and adds to the one
    between members (law of total variance).

    Parameters
    ----------
    card : ModelCard
        What the model is.
    members : sequence of Member
        As many as the card names, in its order.
    device : torch.device
        Where members live.
    digest : str
        What `model_digest` says of the files that the members came from; empty for
        members that came from elsewhere.

    Attributes
    ----------
    members : tuple of Member
        All of them, also those without a say.
    """

    def __init__(
        self,
        card: ModelCard,
        members: Sequence[Member],
        device: torch.device,
        *,
        digest: str = "",
    ) -> None:
        self.card = card
        self.device = device
        self.digest = digest
        self._factors = torch.tensor(card.correction or (1.0,), device=device)
        self.members = tuple(members)
        self._members = [
            (member, entry.weight)
            for member, entry in zip(members, card.members, strict=True)
            if entry.weight > 0
        ]

    @property
    def n_members(self) -> int:
        """Members that have a say."""
        return len(self._members)

    def alone(self, place: int) -> Self:
        """The ensemble in which only one member has a say.

        Parameters
        ----------
        place : int
            Which of `members`.
        """
        members = tuple(
            each.model_copy(update={"weight": float(number == place)})
            for number, each in enumerate(self.card.members)
        )
        card = self.card.model_copy(update={"members": members})
        return type(self)(card, self.members, self.device)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) of surroundings that the members want."""
        return tuple(max(m.halo[a] for m, _ in self._members) for a in range(3))  # type: ignore[return-value]

    @property
    def align(self) -> tuple[int, int, int]:
        """Patches must start at multiples of this (z, y, x)."""
        return tuple(  # type: ignore[return-value]
            int(np.lcm.reduce([m.align[a] for m, _ in self._members])) for a in range(3)
        )

    @torch.inference_mode()
    def predict(
        self,
        patch: NDArray[np.float32],
        *,
        core: Box | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict the core of a patch.

        Parameters
        ----------
        patch : numpy.ndarray
            Normalised image, ``(C, Z, Y, X)`` float32; NaN where gaps are to be filled.
        core : tuple of (start, stop), optional
            The voxels wanted, per axis; all of the patch when left out.
        tick : callable
            Called between members and slabs; may raise to stop.

        Returns
        -------
        mean, std : numpy.ndarray
            ``(K, z, y, x)`` float32 over the core.
        """
        with turn(self.device):
            return self._predict(patch, core, tick)

    def _predict(
        self, patch: NDArray[np.float32], core: Box | None, tick: Callable[[], None]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image = torch.from_numpy(np.ascontiguousarray(patch, np.float32))
        image = image.to(self.device)
        rough = seen = image
        if self.card.restoring is not None and self.card.restoring.fills_gaps:
            # As in training: slice by slice where networks look at slices.
            rough = seen = _filled(image, self.card.dims)
            if self.card.restoring.shows_gaps:
                known = torch.isfinite(image).all(dim=0, keepdim=True)
                seen = torch.cat([rough, known.to(rough)])
        core = core or tuple((0, size) for size in image.shape[1:])
        total, mean, squares = 0.0, torch.zeros(()), torch.zeros(())
        for member, weight in self._members:
            tick()
            # West (1979): weighted mean and variance in one pass, no cancellation.
            shares, within = member.voices(seen, core, self._corrected, tick)
            total += weight
            step = shares - mean.to(shares)
            mean = mean.to(shares) + step * (weight / total)
            squares = squares.to(shares) + weight * (step * (shares - mean) + within)
        std = (squares / total).clamp_min(0).sqrt()
        if self.card.restoring is None:
            return mean.cpu().numpy(), std.cpu().numpy()
        if self.card.restoring.fills_gaps:
            # Networks say what the rough filling lacks.
            mean = mean + rough[(slice(None), *(slice(*span) for span in core))]
        target = self.card.restoring.target
        scale = torch.tensor(target.scale).view(-1, 1, 1, 1)
        return target.undo(mean.cpu().numpy()), (std.cpu() * scale).numpy()

    def _corrected(self, shares: torch.Tensor) -> torch.Tensor:
        if not self.card.correction and self.card.temperature == 1.0:
            return shares
        # A temperature changes what is sure, the correction what is common.
        factors = self._factors.to(shares.device).view(-1, 1, 1, 1)
        # A power in three passes takes a third of the time of one.
        shares = (shares * factors).log().div_(self.card.temperature).exp_()
        return shares / shares.sum(dim=0, keepdim=True).clamp_min(1e-12)


def _filled(image: torch.Tensor, dims: int) -> torch.Tensor:
    """Guess what is NaN in ``(C, Z, Y, X)``."""
    known = torch.isfinite(image).float()
    image = image.nan_to_num(0.0)
    if dims == 2:
        return fill_unknown(image.movedim(1, 0), known.movedim(1, 0)).movedim(0, 1)
    return fill_unknown(image[None], known[None])[0]
