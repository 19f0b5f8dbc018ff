"""Losses between images, over the voxels that count."""

from typing import Protocol

import torch
from torch import Tensor

from napari_sashiko.registry import Registry


class ImageLoss(Protocol):
    """A function of two images and weights; settings are keyword-only."""

    def __call__(self, found: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """Return a scalar.

        Parameters
        ----------
        found, truth : Tensor
            ``(B, C, *S)``.
        weight : Tensor
            ``(B, 1 or C, *S)``, 0 where a voxel does not count.
        """


IMAGE_LOSSES: Registry[ImageLoss] = Registry("image loss", "napari_sashiko.losses")


@IMAGE_LOSSES.register("l1")
def l1(found: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the mean absolute difference: the median of what may be true.

    Parameters
    ----------
    found, truth : Tensor
        ``(B, C, *S)``.
    weight : Tensor
        ``(B, 1 or C, *S)``, 0 where a voxel does not count; its truth may then be NaN.

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing counts.
    """
    return _mean((found - _known(truth, weight)).abs(), weight)


@IMAGE_LOSSES.register("l2")
def l2(found: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the mean squared difference: the mean of what may be true.

    Parameters
    ----------
    found, truth : Tensor
        ``(B, C, *S)``.
    weight : Tensor
        ``(B, 1 or C, *S)``, 0 where a voxel does not count; its truth may then be NaN.

    Returns
    -------
    Tensor
        A scalar; zero, with its graph, when nothing counts.
    """
    return _mean((found - _known(truth, weight)).square(), weight)


def total_variation(image: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbours along all axes.

    A term that favours flat areas with sharp borders: Rudin, Osher & Fatemi, Physica D
    60, 259 (1992), in its anisotropic form.

    Parameters
    ----------
    image : Tensor
        ``(B, C, *S)``.
    """
    steps = [image.diff(dim=axis).abs() for axis in range(2, image.ndim)]
    return torch.stack([s.mean() if s.numel() else s.sum() for s in steps]).sum()


def _known(truth: Tensor, weight: Tensor) -> Tensor:
    """Truth without what does not count: zero times NaN is NaN."""
    return truth.masked_fill(weight == 0, 0.0)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    share = weight.expand_as(values)
    return (values * share).sum() / share.sum().clamp_min(1e-12)
