"""Initial weights from an explicit generator; the global random state is left alone."""

import math

import torch
from torch import Tensor


def kaiming_std(fan_in: int, *, gain: float = math.sqrt(2.0)) -> float:
    """Return the standard deviation that keeps variance through a layer.

    Parameters
    ----------
    fan_in : int
        Number of products summed into one output value.
    gain : float
        sqrt(2) before a ReLU, 1 before nothing.

    Notes
    -----
    He et al., "Delving deep into rectifiers", ICCV 2015, eq. 10.
    """
    return gain / math.sqrt(max(fan_in, 1))


@torch.no_grad()
def fill_normal(weight: Tensor, std: float, generator: torch.Generator) -> None:
    """Fill ``weight`` in place with normal numbers of width ``std``.

    The numbers are drawn on the CPU, so that a seed gives the same network anywhere.
    """
    weight.copy_(torch.randn(weight.shape, generator=generator) * std)
