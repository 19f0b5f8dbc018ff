"""Layers that look at some drawn voxels instead of at all."""

import torch
from torch import Tensor
from torch.nn import functional

Places = tuple[Tensor, ...]


def rows_at(x: Tensor, places: Places) -> Tensor:
    """Voxels of ``(B, C, *S)`` at N places: ``(N, C)``.

    Parameters
    ----------
    x : Tensor
        Maps.
    places : tuple of Tensor
        For the batch and each axis of space ``(N,)`` int.
    """
    flat = places[0]
    for size, place in zip(x.shape[2:], places[1:], strict=True):
        flat = flat * size + place
    # An index would sum gradients in any order, and no run could be repeated.
    return functional.embedding(flat, x.movedim(1, -1).flatten(0, -2))


def lined_up(rows: Tensor, dims: int) -> Tensor:
    """Rows ``(N, C)`` as an image of one voxel's width: ``(1, C, N, 1[, 1])``."""
    return rows.T.reshape(1, rows.shape[1], -1, *(1,) * (dims - 1))


def put_back(lined: Tensor, where: Tensor) -> Tensor:
    """Put ``(1, K, N, 1[, 1])`` to where the N voxels are: ``(B, K, *S)``, 0 elsewhere.

    Parameters
    ----------
    lined : Tensor
        In the order of ``where.nonzero()``.
    where : Tensor
        ``(B, *S)`` bool.
    """
    rows = lined[0].flatten(1).T
    images = rows.new_zeros((*where.shape, rows.shape[1]))
    return images.index_put(where.nonzero(as_tuple=True), rows).movedim(-1, 1)


def wide_sums(x: Tensor) -> Tensor:
    """Maps of which voxels are read often: gradients of many readers meet in them.

    bfloat16 would lose most of them.
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
