"""Ensemble members: a patch in, class probabilities or a restored image out."""

import math
from collections.abc import Callable
from typing import Protocol

import torch

from napari_sashiko.checkpoints._fastest import fastest
from napari_sashiko.forests import Forest
from napari_sashiko.networks import Network
from napari_sashiko.runners import interruptible

Box = tuple[tuple[int, int], ...]
HALO_CAP = 40  # voxels; beyond, weights that fade have faded to nothing in practice
SLAB_VOXELS = 200_000  # in one forward pass on a CPU: well below a second


class Member(Protocol):
    """Whatever gives class probabilities, or a restored image, for a patch.

    Attributes
    ----------
    halo : tuple of int
        Voxels (z, y, x) of surroundings that it wants beyond the core.
    align : tuple of int
        Patches must start at multiples of this, so that pooling falls alike.
    """

    halo: tuple[int, int, int]
    align: tuple[int, int, int]

    def voices(
        self,
        patch: torch.Tensor,
        core: Box,
        correct: Callable[[torch.Tensor], torch.Tensor],
        tick: Callable[[], None],
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        """What there is in the core of a patch, and how far its own parts are apart.

        Parameters
        ----------
        patch : torch.Tensor
            ``(C, Z, Y, X)``.
        core : tuple of (start, stop)
            The voxels wanted, per axis.
        correct : callable
            Makes of what a member says, ``(K, z, y, x)``, what counts.
        tick : callable
            Called between slabs, and within what takes long; may raise to stop.

        Returns
        -------
        said, variance : torch.Tensor
            ``(K, z, y, x)`` float32, after `correct`; the variance within, 0 for what
            has one voice.
        """
        ...


class NetworkMember:
    """A network that looks at slices, slices with neighbours, or whole patches.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    neighbours : int
        Slices on either side that a 2D network sees as channels.
    classifies : bool
        Whether its outputs are logits of classes; otherwise they are an image.
    """

    def __init__(
        self, network: Network, *, neighbours: int = 0, classifies: bool = True
    ) -> None:
        self.network = network
        self.classifies = classifies
        self._forward = fastest(network, exact=not classifies)
        self.neighbours = neighbours
        flat = network.dims == 2
        self.halo = network_halo(network, neighbours)
        self.align = (1 if flat else network.align, network.align, network.align)

    def predict(
        self,
        patch: torch.Tensor,
        core: Box,
        tick: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """What there is in the core of ``(C, Z, Y, X)``: ``(K, z, y, x)`` float32."""
        with interruptible(tick):
            return self._predicted(patch, core, tick)

    def _predicted(
        self, patch: torch.Tensor, core: Box, tick: Callable[[], None]
    ) -> torch.Tensor:
        if self.network.dims == 2:
            return self._by_slices(patch, core, tick)
        tick()
        logits = self._forward(patch[None])[0]
        core_only = (slice(None), *(slice(*span) for span in core))
        return self._finish(logits[core_only])

    def voices(
        self,
        patch: torch.Tensor,
        core: Box,
        correct: Callable[[torch.Tensor], torch.Tensor],
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[torch.Tensor, float]:
        """What `predict` says, after `correct`; a network has one voice."""
        return correct(self.predict(patch, core, tick)), 0.0

    def _by_slices(
        self, patch: torch.Tensor, core: Box, tick: Callable[[], None]
    ) -> torch.Tensor:
        rows, columns = slice(*core[1]), slice(*core[2])
        batch = max(1, SLAB_VOXELS // math.prod(patch.shape[2:]))
        parts = []
        for start in range(*core[0], batch):
            tick()
            planes = range(start, min(start + batch, core[0][1]))
            slabs = [stack_neighbours(patch, z, self.neighbours) for z in planes]
            logits = self._forward(torch.stack(slabs))[..., rows, columns]
            parts.append(self._finish(logits.movedim(0, 1)))
        return torch.cat(parts, dim=1)

    def _finish(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.float().softmax(0) if self.classifies else logits.float()


def network_halo(network: Network, neighbours: int = 0) -> tuple[int, int, int]:
    """Voxels (z, y, x) around a voxel that a network's answer depends on.

    Parameters
    ----------
    network : Network
        Of 2 or 3 dimensions.
    neighbours : int
        Slices on either side that a network of 2 dimensions sees as channels.
    """
    reach = network.receptive_radius
    if network.fades:
        reach = min(reach, HALO_CAP)
    return (neighbours if network.dims == 2 else reach, reach, reach)


class ForestMember:
    """A random forest on filter features, as a member beside networks."""

    align = (1, 1, 1)

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.halo = forest.halo

    def voices(
        self,
        patch: torch.Tensor,
        core: Box,
        correct: Callable[[torch.Tensor], torch.Tensor],
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Corrected probabilities, and their variance over groups of its trees."""
        return self.forest.voices(patch, core, correct, tick)


def stack_neighbours(patch: torch.Tensor, z: int, neighbours: int) -> torch.Tensor:
    """Slices ``z - neighbours .. z + neighbours`` as channels, mirrored at the ends.

    Parameters
    ----------
    patch : torch.Tensor
        ``(C, Z, Y, X)``.

    Returns
    -------
    torch.Tensor
        ``(C * (2 * neighbours + 1), Y, X)``, slices of one channel side by side.
    """
    depth = patch.shape[1]
    planes = [
        _mirror(z + offset, depth) for offset in range(-neighbours, neighbours + 1)
    ]
    return patch[:, planes].flatten(0, 1)


def _mirror(place: int, size: int) -> int:
    place %= 2 * size
    return min(place, 2 * size - 1 - place)
