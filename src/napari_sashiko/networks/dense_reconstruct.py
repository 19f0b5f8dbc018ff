"""A perceptron from all of a sinogram to all of an image."""

from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import Dense
from napari_sashiko.networks._reconstructor import (
    RECONSTRUCTORS,
    Reconstructor,
    Shape,
    dense_weights,
)


@RECONSTRUCTORS.register("dense_reconstruct")
class DenseReconstruct(Reconstructor):
    """Dense layers with ReLU between, the last as wide as the image.

    The widths between are the user's, so that its weights grow with the square of the
    image's side only. After the dense network of superres-tomo.

    Parameters
    ----------
    sinogram : (int, int)
        Angles and detectors.
    size : int
        Side of the image.
    seed : int
        Seeds the weights.
    hidden : int
        Values of each layer between.
    layers : int
        Layers between sinogram and image.
    """

    name = "dense_reconstruct"

    def __init__(
        self,
        sinogram: Shape,
        size: int,
        *,
        seed: int,
        hidden: Annotated[int, Ge(1), Le(65536)] = 1024,
        layers: Annotated[int, Ge(1), Le(8)] = 2,
    ) -> None:
        super().__init__(sinogram, size, hidden=hidden, layers=layers)
        generator = torch.Generator().manual_seed(seed)
        widths = _widths(sinogram, size, hidden, layers)
        last = len(widths) - 2
        self.stages = nn.ModuleList(
            Dense(
                before,
                after,
                generator=generator,
                gain=1.0 if place == last else 2.0**0.5,
            )
            for place, (before, after) in enumerate(pairwise(widths))
        )

    @staticmethod
    def count(  # type: ignore[override]
        sinogram: Shape, size: int, *, hidden: int, layers: int
    ) -> int:
        """Weights of all layers: each width times the next, and one for each bias."""
        return dense_weights(_widths(sinogram, size, hidden, layers))

    def forward(self, x: Tensor) -> Tensor:
        """Make ``(B, 1, size, size)`` of ``(B, 1, angles, detectors)``."""
        x = x.flatten(1)
        for place, stage in enumerate(self.stages):
            x = stage(functional.relu(x) if place else x)
        return x.view(-1, 1, self.size, self.size)


def _widths(sinogram: Shape, size: int, hidden: int, layers: int) -> tuple[int, ...]:
    return (sinogram[0] * sinogram[1], *(hidden,) * layers, size**2)
