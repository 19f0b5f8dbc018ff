"""A model that explores: latents of patches, and whether these are like known ones."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sashiko.checkpoints.card import Exploring, ModelCard
from napari_sashiko.networks import Encoder
from napari_sashiko.runners import turn

KNOWN = "known.latents"  # beside the network's tensors: latents of training patches
NEAREST = 5  # training patches that a patch is compared with


@dataclass(frozen=True, eq=False)
class Seen:
    """What an explorer says of patches.

    Attributes
    ----------
    latents : numpy.ndarray
        ``(B, latent)`` float32.
    errors : numpy.ndarray
        ``(B,)``: root mean square of what is lost of a patch, in normalised grey
        values, over voxels that were measured.
    distances : numpy.ndarray
        ``(B,)``: mean distance of the latents to the nearest of training patches.
    made : numpy.ndarray
        ``(B, C, edge, edge)`` float32: the patches, made again of their latents, in
        normalised grey values.
    """

    latents: NDArray[np.float32]
    errors: NDArray[np.float32]
    distances: NDArray[np.float32]
    made: NDArray[np.float32]


class Explorer:
    """An encoder with the latents of the patches that it was trained on.

    Parameters
    ----------
    card : ModelCard
        What the model is; it explores.
    network : Encoder
        In evaluation mode.
    known : torch.Tensor
        ``(N, latent)`` of training patches.

    Raises
    ------
    ValueError
        If the card is of another kind of model.
    """

    def __init__(self, card: ModelCard, network: Encoder, known: Tensor) -> None:
        if card.exploring is None:
            raise ValueError("the card is of a model that does not explore")
        self.card = card
        self.exploring: Exploring = card.exploring
        self.network = network
        self.device = next(network.parameters()).device
        self.known = known.to(self.device)

    @torch.inference_mode()
    def look(self, patches: NDArray[np.float32], measured: NDArray[np.bool_]) -> Seen:
        """Squeeze patches and compare them with those of the training.

        Parameters
        ----------
        patches : numpy.ndarray
            ``(B, C, edge, edge)`` float32, normalised.
        measured : numpy.ndarray
            ``(B, 1, edge, edge)`` bool: which voxels count.
        """
        with turn(self.device):
            images = torch.from_numpy(patches).to(self.device)
            weight = torch.from_numpy(measured).to(self.device)
            latents, found, made = squeeze(self.network, images, weight)
            away = distances(latents, self.known)
            arrays = (each.cpu().numpy() for each in (latents, found, away, made))
            return Seen(*arrays)

    def outside(self, seen: Seen) -> NDArray[np.float32]:
        """Score of each patch, ``(B,)``; above 1 it lies outside of what is known.

        The larger of distance and error, each as a multiple of its limit: what is
        strange may have common latents, but is then made again badly. Distances:
        Sun et al., "Out-of-distribution detection with deep nearest neighbors",
        ICML (2022).
        """
        away = seen.distances / np.float32(self.exploring.distance_limit)
        lost = seen.errors / np.float32(self.exploring.error_limit)
        score: NDArray[np.float32] = np.maximum(away, lost)
        return score


def squeeze(
    network: Encoder, images: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return latents ``(B, latent)``, errors ``(B,)`` and patches, made again.

    Parameters
    ----------
    network : Encoder
        In evaluation mode.
    images, weight : torch.Tensor
        ``(B, C, *S)`` and ``(B, 1, *S)``; where the weight is 0 nothing was measured.
    """
    coded = network(images)
    made = coded.image.float()
    share = weight.float().expand_as(images)
    squares = ((made - images).square() * share).flatten(1).sum(1)
    errors = (squares / share.flatten(1).sum(1).clamp_min(1.0)).sqrt()
    return coded.latent.float(), errors, made


def distances(latents: Tensor, known: Tensor) -> Tensor:
    """Return mean distances ``(B,)`` of latents to the nearest of ``(N, latent)``."""
    away = torch.cdist(latents, known)
    return away.topk(min(NEAREST, len(known)), largest=False).values.mean(1)
