"""What networks with a bottleneck are: a patch in, a few numbers, the patch again."""

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor

from napari_sashiko.networks._network import Network
from napari_sashiko.registry import Registry


class Coded(NamedTuple):
    """What an encoder says of patches.

    Attributes
    ----------
    image : torch.Tensor
        ``(B, C, [Z,] Y, X)``: the patches, made again from what was kept of them.
    latent : torch.Tensor
        ``(B, latent)``: what was kept of them.
    penalty : torch.Tensor
        A scalar to be added to the loss; zero where nothing is asked of latents.
    """

    image: Tensor
    latent: Tensor
    penalty: Tensor


class Encoder(Network):
    """Ancestor of networks that squeeze a patch into a few numbers.

    Other than networks of `NETWORKS`, they take patches of one size only, each voxel
    that they give depends on the whole patch, and they return `Coded`.

    Attributes
    ----------
    edge : int
        Voxels of a patch along each axis.
    latent : int
        Numbers that are kept of a patch.
    """

    edge: int
    latent: int
    dilated = False

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Turn patches ``(B, C, [Z,] Y, X)`` into latents ``(B, latent)``."""

    @abstractmethod
    def forward(self, x: Tensor) -> Coded:
        """Squeeze patches ``(B, C, [Z,] Y, X)`` and make them again."""


ENCODERS: Registry[type[Encoder]] = Registry("encoder", "napari_sashiko.networks")
