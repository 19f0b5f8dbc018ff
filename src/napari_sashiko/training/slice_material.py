"""Pairs of sinogram and slice as a network learns from them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sashiko.losses import ImageLoss
from napari_sashiko.networks import Network
from napari_sashiko.runners import Event, Progress, turn
from napari_sashiko.tomography import Sinograms
from napari_sashiko.training.image_material import ImageBatch, judge_images
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.volumes import Normalisation, Volume

MEMORY = 1 << 30  # bytes of all pairs together


@dataclass(frozen=True, eq=False)
class SlicePairs:
    """Sinograms beside their slices, normalised.

    Attributes
    ----------
    sinograms : numpy.ndarray
        ``(N, angles, detectors)`` float32.
    slices : numpy.ndarray
        ``(N, size, size)`` float32.
    """

    sinograms: NDArray[np.float32]
    slices: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.slices)

    def split(self, count: int) -> tuple["SlicePairs", "SlicePairs"]:
        """The first ones, and the last `count`."""
        place = len(self) - count
        return (
            SlicePairs(self.sinograms[:place], self.slices[:place]),
            SlicePairs(self.sinograms[place:], self.slices[place:]),
        )

    def batch(
        self, first: Sequence[int], loss: ImageLoss, device: torch.device
    ) -> ImageBatch:
        """Some pairs as they are."""
        places = list(first)
        return _batch(self.sinograms[places], self.slices[places], loss, device)


@dataclass(frozen=True, eq=False)
class SliceMaterial:
    """What one network learns from and is judged on: sinograms with their slices.

    Attributes
    ----------
    pairs : SlicePairs
        What is learned.
    held_out : sequence of ImageBatch
        Other slices.
    loss : callable
        Of two images and weights.
    device : torch.device
        Where batches are wanted.
    flatness : float
        Weight of the total variation.
    mixing : float
        Share of a batch that is a weighted mean of two pairs.
    """

    pairs: SlicePairs
    held_out: Sequence[ImageBatch]
    loss: ImageLoss
    device: torch.device
    flatness: float = 0.0
    mixing: float = 0.0

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        generator: torch.Generator,
        *,
        lean: bool = False,
    ) -> ImageBatch:
        """Draw pairs; some are means of two, for a tomograph is linear."""
        del generator, lean
        one, other = rng.integers(len(self.pairs), size=(2, count))
        mixed = rng.random(count) < self.mixing
        share = np.where(mixed, rng.random(count), 1.0).astype(np.float32)[
            :, None, None
        ]
        both = [
            share * values[one] + (1 - share) * values[other]
            for values in (self.pairs.sinograms, self.pairs.slices)
        ]
        return _batch(both[0], both[1], self.loss, self.device, self.flatness)

    def judge(
        self, network: Network, outcome: Outcome
    ) -> Generator[Event, None, dict[str, float]]:
        """Mean loss over what was held out."""
        return (yield from judge_images(network, self.held_out, outcome))


def read_pairs(
    sinograms: Sinograms,
    images: Volume,
    seen: Normalisation,
    wanted: Normalisation,
    seed: int,
) -> Generator[Event, None, SlicePairs]:
    """Read pairs until memory is used up, in their order; what is damaged is left out.

    Parameters
    ----------
    sinograms : Sinograms
        What networks will see.
    images : Volume
        As many slices.
    seen, wanted : Normalisation
        Of sinograms and images.
    seed : int
        Decides which slices are read where not all can be.

    Yields
    ------
    Progress
    """
    pixels = sinograms.angles * sinograms.detectors + images.shape[1] * images.shape[2]
    most = max(2, MEMORY // (4 * pixels))
    places = np.arange(sinograms.slices)
    if len(places) > most:
        drawn = np.random.default_rng(seed).choice(places, most, replace=False)
        places = np.sort(drawn)
    found = []
    whole = (slice(0, images.shape[1]), slice(0, images.shape[2]))
    for number, place in enumerate(places):
        raw = sinograms.read(int(place), int(place) + 1)
        image = images.read((slice(int(place), int(place) + 1), *whole))
        if np.isfinite(raw).all() and np.isfinite(image).all():
            found.append((seen.apply(raw[None])[0, 0], wanted.apply(image)[0, 0]))
        yield Progress(number + 1, len(places), "reading slices")
    if not found:
        return SlicePairs(
            np.empty((0, 1, 1), np.float32), np.empty((0, 1, 1), np.float32)
        )
    left, right = zip(*found, strict=True)
    return SlicePairs(np.stack(left), np.stack(right))


def _batch(
    sinograms: NDArray[np.float32],
    slices: NDArray[np.float32],
    loss: ImageLoss,
    device: torch.device,
    flatness: float = 0.0,
) -> ImageBatch:
    with turn(device):
        seen, wanted = (
            torch.from_numpy(values)[:, None].to(device)
            for values in (sinograms, slices)
        )
        weight: Tensor = torch.ones_like(wanted[:, :1])
    return ImageBatch(seen, wanted, weight, loss, flatness)
