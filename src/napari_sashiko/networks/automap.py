"""AUTOMAP: dense layers find the geometry by themselves, convolutions clean up."""

from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from napari_sashiko.layers import Dense
from napari_sashiko.networks._reconstructor import (
    RECONSTRUCTORS,
    Cascade,
    Reconstructor,
    Shape,
    cascade_weights,
    dense_weights,
)

KERNELS = (5, 5, 7)


@RECONSTRUCTORS.register("automap")
class Automap(Reconstructor):
    """AUTOMAP: two dense layers of as many values as the image, three convolutions.

    Dense layers with tanh, convolutions of 5, 5 and 7 pixels with ReLU between. Its
    weights grow with the fourth power of the image's side. Source: Zhu et al.,
    Nature 555, 487 (2018), figure 1 and methods; the L1 penalty on the last feature
    maps is left out.

    Parameters
    ----------
    sinogram : (int, int)
        Angles and detectors.
    size : int
        Side of the image.
    seed : int
        Seeds the weights.
    channels : int
        Feature maps of the convolutions.
    """

    name = "automap"

    def __init__(
        self,
        sinogram: Shape,
        size: int,
        *,
        seed: int,
        channels: Annotated[int, Ge(1), Le(256)] = 64,
    ) -> None:
        super().__init__(sinogram, size, channels=channels)
        generator = torch.Generator().manual_seed(seed)
        pixels = size**2
        self.first = Dense(
            sinogram[0] * sinogram[1], pixels, generator=generator, gain=1.0
        )
        self.second = Dense(pixels, pixels, generator=generator, gain=1.0)
        self.cleaner = Cascade((1, channels, channels, 1), KERNELS, generator)

    @staticmethod
    def count(sinogram: Shape, size: int, *, channels: int) -> int:  # type: ignore[override]
        """Weights: ``n^2 (A D + n^2 + 2)`` of dense layers, and the convolutions'."""
        pixels = size**2
        return dense_weights(
            (sinogram[0] * sinogram[1], pixels, pixels)
        ) + cascade_weights((1, channels, channels, 1), KERNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Make ``(B, 1, size, size)`` of ``(B, 1, angles, detectors)``."""
        values = torch.tanh(self.second(torch.tanh(self.first(x.flatten(1)))))
        image: Tensor = self.cleaner(values.view(-1, 1, self.size, self.size))
        return image
