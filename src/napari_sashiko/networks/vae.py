"""The variational autoencoder: patches that look alike lie side by side."""

from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from napari_sashiko.layers import NormName
from napari_sashiko.networks._encoder import ENCODERS, Coded
from napari_sashiko.networks.autoencoder import Autoencoder


@ENCODERS.register("vae")
class VariationalAutoencoder(Autoencoder):
    """Variational autoencoder: latents are drawn from a distribution, not told.

    While training, latents are drawn around the mean that is told, in evaluation they
    are the mean. The penalty keeps the distribution near a standard normal one:
    ``beta / voxels * sum(mean^2 + var - 1 - log var)``, twice the divergence by
    voxel of a patch, so that `beta` is the variance of the noise that an image is
    taken to have. Source: Kingma & Welling, ICLR (2014), equation 10 and appendix B;
    `beta`: Higgins et al., ICLR (2017).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights, and what is drawn while training.
    edge : int
        Voxels of a patch along each axis.
    latent : int
        Numbers that are kept of a patch.
    depth : int
        Poolings, each to half the edge.
    base_channels : int
        Channels of the first level.
    growth_rate : float
        Channels of a level in those of the one above; need not be whole.
    widest : int
        No level has more channels than so many times the first.
    norm : {"batch", "none"}
        What follows each convolution.
    beta : float
        Weight of the divergence; more makes latents smoother and images blurred.
    """

    name = "vae"
    codes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        edge: Annotated[int, Ge(8), Le(512)] = 32,
        latent: Annotated[int, Ge(1), Le(1024)] = 16,
        depth: Annotated[int, Ge(1), Le(7)] = 3,
        base_channels: Annotated[int, Ge(1), Le(128)] = 16,
        growth_rate: Annotated[float, Gt(0.0), Le(4.0)] = 2.0,
        widest: Annotated[int, Ge(1), Le(256)] = 8,
        norm: NormName = "batch",
        beta: Annotated[float, Ge(0), Le(1000)] = 0.1,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            seed=seed,
            edge=edge,
            latent=latent,
            depth=depth,
            base_channels=base_channels,
            growth_rate=growth_rate,
            widest=widest,
            norm=norm,
        )
        self.settings["beta"] = beta
        self._seed, self._drawn = seed, 0

    def encode(self, x: Tensor) -> Tensor:
        """Turn patches ``(B, C, [Z,] Y, X)`` into the means of their latents."""
        return self.look(x)[:, : self.latent]

    def forward(self, x: Tensor) -> Coded:
        """Squeeze patches ``(B, C, [Z,] Y, X)`` and make them again."""
        mean, log_variance = self.look(x).float().chunk(2, dim=1)
        log_variance = log_variance.clamp(-20, 20)  # its exponential stays finite
        latent = mean
        if self.training:
            latent = mean + (0.5 * log_variance).exp() * self._noise(mean)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        voxels = self.out_channels * x[0, 0].numel()
        penalty = self.settings["beta"] / voxels * divergence.mean()
        return Coded(self.make(latent), mean, penalty)

    def _noise(self, like: Tensor) -> Tensor:
        """Draw from the network's own seed, on the CPU: the same on any device."""
        self._drawn += 1
        generator = torch.Generator().manual_seed(self._seed + 1_000_003 * self._drawn)
        return torch.randn(like.shape, generator=generator).to(like)
