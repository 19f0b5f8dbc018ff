"""How a task is made of an image: what networks see, and where they are asked.

Noise that differs from voxel to voxel cannot be guessed from its surroundings, the
signal can: who must say what a voxel was that was hidden learns the signal. Batson &
Royer, Noise2Self, ICML (2019); Krull, Buchholz & Jug, Noise2Void, CVPR (2019).
"""

from typing import Protocol

import torch
from torch import Generator, Tensor
from torch.nn import functional

from napari_sashiko.layers import fill_unknown

CELL = 4  # one voxel is hidden in each cell of so many voxels along an axis
REACH = 2  # voxels: what a hidden voxel shows instead comes from so near


class Corruption(Protocol):
    """Hides a part of images, and says where the answer counts."""

    def __call__(
        self, images: Tensor, known: Tensor, holes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return what is seen, and weights.

        Parameters
        ----------
        images : Tensor
            ``(B, C, *S)``.
        known : Tensor
            ``(B, 1, *S)``: 1 where the target was measured.
        holes : Tensor
            ``(B, 1, *S)``: 1 where nothing was measured at some other place.
        generator : Generator
            The only source of randomness.

        Returns
        -------
        seen : Tensor
            ``(B, C, *S)``.
        weight : Tensor
            ``(B, 1, *S)``.
        """


class Nothing:
    """Nothing is hidden: the target is another image, or few numbers tell of it."""

    def __call__(
        self, images: Tensor, known: Tensor, holes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return images as they are; all that is known counts."""
        del holes, generator
        return images, known


class Gaps:
    """What lies where there are gaps elsewhere is hidden, and asked for.

    Gaps at new places with the truth behind them: DLSIA, J. Appl. Cryst. 57, 392
    (2024), section 4.1.
    """

    def __call__(
        self, images: Tensor, known: Tensor, holes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return images with more gaps, roughly filled; behind these it counts."""
        del generator
        return fill_unknown(images, known * (1 - holes)), known * holes


class Blind:
    """Single voxels show a neighbour's value, and their own is asked for.

    Parameters
    ----------
    planes : sequence of int
        Channels of the images in which they are hidden: those that are the target.
    """

    def __init__(self, planes: list[int]) -> None:
        self.planes = planes

    def __call__(
        self, images: Tensor, known: Tensor, holes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return images with hidden voxels; these count."""
        del holes
        hidden = one_in_each_cell(images.shape, generator).to(images.device)
        seen = images.clone()
        axes = tuple(range(1, images.ndim - 1))
        for place, image in enumerate(images):
            steps = _step(len(axes), generator)
            moved = image[self.planes].roll(steps, axes)
            seen[place, self.planes] = torch.where(
                hidden[place], moved, image[self.planes]
            )
        return seen, known * hidden


def one_in_each_cell(shape: torch.Size, generator: Generator) -> Tensor:
    """Choose one voxel in each cell, at random.

    Parameters
    ----------
    shape : torch.Size
        ``(B, C, *S)``.
    generator : Generator
        The only source of randomness.

    Returns
    -------
    Tensor
        ``(B, 1, *S)`` bool; none in what is left of an axis after whole cells.
    """
    count, spatial = shape[0], shape[2:]
    cells = [n // CELL for n in spatial]
    dims = len(spatial)
    size = CELL**dims
    pick = torch.randint(size, (count, *cells), generator=generator)
    chosen = (
        functional.one_hot(pick, size).bool().reshape(count, *cells, *[CELL] * dims)
    )
    # (B, cells..., within...) -> (B, cell, within, cell, within, ...)
    order = [0]
    for axis in range(dims):
        order += [1 + axis, 1 + dims + axis]
    chosen = chosen.permute(order).reshape(count, 1, *(n * CELL for n in cells))
    rest = [n - c * CELL for n, c in zip(spatial, cells, strict=True)]
    pad = [value for left in reversed(rest) for value in (0, left)]
    return functional.pad(chosen, pad)


def _step(dims: int, generator: Generator) -> tuple[int, ...]:
    """Draw a step to a neighbour, never none."""
    while True:
        step = torch.randint(-REACH, REACH + 1, (dims,), generator=generator)
        if bool(step.any()):
            return tuple(int(n) for n in step)
