"""Convolutions down a sinogram, one dense layer, convolutions up to an image."""

from itertools import count
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import Dense, max_pool
from napari_sashiko.networks._reconstructor import (
    RECONSTRUCTORS,
    Cascade,
    Reconstructor,
    Shape,
    cascade_weights,
    dense_weights,
)

SHORT = 16  # pixels: short enough for a dense layer


@RECONSTRUCTORS.register("conv_reconstruct")
class ConvReconstruct(Reconstructor):
    """An encoder of sinograms and a decoder of images, with a dense layer between.

    A place in a sinogram is none in the image, so one layer must see everything: it
    does where both are small, which takes a fraction of the weights that dense networks
    need. Each level is two convolutions of 3 pixels and a pooling by 2; up again,
    pixels are repeated and convolved. After the convolutional network of
    superres-tomo.

    Parameters
    ----------
    sinogram : (int, int)
        Angles and detectors.
    size : int
        Side of the image.
    seed : int
        Seeds the weights.
    depth : int or None
        Poolings, and enlargements; None takes as many as make sinogram and image no
        longer than 16 pixels, so that the dense layer has about as many weights for
        all sizes.
    base_channels : int
        Feature maps of the highest level; each lower one has twice as many.
    code_channels : int
        Maps that go into the dense layer and come out of it.
    """

    name = "conv_reconstruct"

    def __init__(
        self,
        sinogram: Shape,
        size: int,
        *,
        seed: int,
        depth: Annotated[int, Ge(0), Le(8)] | None = None,
        base_channels: Annotated[int, Ge(1), Le(128)] = 16,
        code_channels: Annotated[int, Ge(1), Le(256)] = 8,
    ) -> None:
        super().__init__(
            sinogram,
            size,
            depth=depth,
            base_channels=base_channels,
            code_channels=code_channels,
        )
        generator = torch.Generator().manual_seed(seed)
        depth = _depth(depth, sinogram, size)
        down, up = _levels(depth, base_channels, code_channels)
        self.encoder = nn.ModuleList(
            Cascade(widths, (3,) * (len(widths) - 1), generator) for widths in down
        )
        self.between = Dense(
            *_between(sinogram, size, depth, code_channels), generator=generator
        )
        self.decoder = nn.ModuleList(
            Cascade(widths, (3,) * (len(widths) - 1), generator) for widths in up
        )
        self.code = (code_channels, *(2 * (_pooled(size, depth),)))

    @staticmethod
    def count(  # type: ignore[override]
        sinogram: Shape,
        size: int,
        *,
        depth: int | None,
        base_channels: int,
        code_channels: int,
    ) -> int:
        """Weights of encoder, dense layer and decoder."""
        depth = _depth(depth, sinogram, size)
        down, up = _levels(depth, base_channels, code_channels)
        convolved = sum(
            cascade_weights(widths, (3,) * (len(widths) - 1)) for widths in (*down, *up)
        )
        return convolved + dense_weights(_between(sinogram, size, depth, code_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Make ``(B, 1, size, size)`` of ``(B, 1, angles, detectors)``."""
        for level, encode in enumerate(self.encoder):
            x = encode(functional.relu(max_pool(x, 2)) if level else x)
        x = self.between(functional.relu(x).flatten(1)).unflatten(1, self.code)
        for level, decode in enumerate(self.decoder):
            if level:
                side = _pooled(self.size, len(self.decoder) - 1 - level)
                x = functional.interpolate(x, size=(side, side))
            x = decode(functional.relu(x))
        return x


def _depth(given: int | None, sinogram: Shape, size: int) -> int:
    if given is not None:
        return given
    longest = max(*sinogram, size)
    return next(times for times in count() if _pooled(longest, times) <= SHORT)


def _levels(
    depth: int, base: int, code: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Channels before, between and behind the convolutions, down and up."""
    widths: list[int] = [base * 2**level for level in range(depth + 1)]
    down: list[tuple[int, ...]] = [
        (before, width, code if level == depth else width)
        for level, (before, width) in enumerate(
            zip([1, *widths[:-1]], widths, strict=True)
        )
    ]
    back = widths[::-1]
    up: list[tuple[int, ...]] = [
        (before, width, 1 if level == depth else width)
        for level, (before, width) in enumerate(
            zip([code, *back[:-1]], back, strict=True)
        )
    ]
    return down, up


def _between(sinogram: Shape, size: int, depth: int, code: int) -> tuple[int, int]:
    """Values before and behind the dense layer."""
    angles, detectors = (_pooled(extent, depth) for extent in sinogram)
    return code * angles * detectors, code * _pooled(size, depth) ** 2


def _pooled(extent: int, times: int) -> int:
    """Pixels after so many poolings by 2; a last partial one counts."""
    return -(-extent // (1 << times))
