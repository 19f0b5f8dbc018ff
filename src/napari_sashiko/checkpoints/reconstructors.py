"""Networks that make slices of sinograms, as an ensemble."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.checkpoints.card import ModelCard
from napari_sashiko.networks import Reconstructor
from napari_sashiko.runners import turn


class ReconstructorEnsemble:
    """Networks that each make a slice of a sinogram.

    Parameters
    ----------
    card : ModelCard
        What the model is; it says that it reconstructs.
    networks : sequence of Reconstructor
        In evaluation mode, as many as the card names, in its order.
    device : torch.device
        Where they live.
    digest : str
        What `model_digest` says of the files that they came from.
    """

    def __init__(
        self,
        card: ModelCard,
        networks: Sequence[Reconstructor],
        device: torch.device,
        *,
        digest: str = "",
    ) -> None:
        if card.reconstructing is None:
            raise ValueError("the card is of another kind of model")
        self.card = card
        self.made = card.reconstructing
        self.networks = tuple(networks)
        self.device = device
        self.digest = digest
        self._weights = [entry.weight for entry in card.members]

    @torch.inference_mode()
    def predict(
        self, sinograms: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make slices of sinograms.

        Parameters
        ----------
        sinograms : numpy.ndarray
            ``(B, angles, detectors)`` in grey values.

        Returns
        -------
        mean, std : numpy.ndarray
            ``(B, size, size)`` in grey values: weighted mean and population standard
            deviation over the networks.
        """
        seen = self.card.normalisation.apply(sinograms[None])[0]
        with turn(self.device):
            x = torch.from_numpy(seen)[:, None].to(self.device)
            made = [network(x).float().cpu() for network in self.networks]
        images = torch.stack(made)
        weights = torch.tensor(self._weights) / sum(self._weights)
        share = weights.view(-1, 1, 1, 1, 1)
        mean = (share * images).sum(0)
        std = (share * (images - mean).square()).sum(0).sqrt()
        grey = self.made.target.undo(mean[:, 0][None].numpy())[0]
        return grey, std[:, 0].numpy() * np.float32(self.made.target.scale[0])
