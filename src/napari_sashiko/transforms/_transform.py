"""What all transforms share: the registry, the protocol, chaining."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Protocol

from torch import Generator, Tensor

from napari_sashiko.registry import Registry


class Transform(Protocol):
    """A random change of image and target together, drawn for each patch of a batch.

    A class in `TRANSFORMS` is made with ``(dims, voxel_size)``.
    """

    def __call__(
        self, image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return changed copies.

        Parameters
        ----------
        image : Tensor
            ``(B, C, [Z,] Y, X)``.
        target : Tensor
            ``(B, *, [Z,] Y, X)``: labels, or probabilities with their classes before.
        generator : Generator
            The only source of randomness, on the CPU.
        """


class TransformMaker(Protocol):
    """Makes a transform for volumes of one kind."""

    def __call__(self, dims: int, voxel_size: Sequence[float]) -> Transform:
        """Take 2 or 3 and the voxel size ``(z, y, x)``."""


TRANSFORMS: Registry[TransformMaker] = Registry(
    "transform", "napari_sashiko.transforms"
)


def build_transforms(
    names: Iterable[str], dims: int, voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
) -> Transform:
    """Return the named transforms as one, applied in order.

    Parameters
    ----------
    names : iterable of str
        Names in `TRANSFORMS`; none leaves patches as they are.
    dims : int
        Spatial axes of a patch, 2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``; axes of different size are never exchanged.

    Raises
    ------
    SettingsError
        If a name is unknown.
    """
    transforms = tuple(TRANSFORMS[name](dims, voxel_size) for name in names)

    def chain(
        image: Tensor, target: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        for transform in transforms:
            image, target = transform(image, target, generator)
        return image, target

    return chain


def equal_planes(
    dims: int, voxel_size: Sequence[float], *, tolerance: float = 0.05
) -> tuple[tuple[int, int], ...]:
    """Return pairs of axes, counted from the last, whose voxel sizes are equal.

    Parameters
    ----------
    dims : int
        2 or 3.
    voxel_size : sequence of float
        ``(z, y, x)``.
    tolerance : float
        Largest relative difference that still counts as equal.
    """
    size = tuple(voxel_size)[-dims:]
    return tuple(
        (a - dims, b - dims)
        for a, b in combinations(range(dims), 2)
        if abs(size[a] - size[b]) <= tolerance * max(size[a], size[b])
    )
