"""Eigenvalues of many small symmetric matrices at once, in closed form."""

import math

import torch

Entries = dict[tuple[int, int], torch.Tensor]


def symmetric_eigenvalues(entries: Entries) -> list[torch.Tensor]:
    """Return the eigenvalues, largest first, of a 2 x 2 or 3 x 3 matrix per voxel.

    Parameters
    ----------
    entries : dict
        The upper triangle, ``(i, j) -> (Z, Y, X)``.
    """
    return _two(entries) if (2, 2) not in entries else _three(entries)


def _two(h: Entries) -> list[torch.Tensor]:
    middle = (h[0, 0] + h[1, 1]) / 2
    spread = torch.sqrt(((h[0, 0] - h[1, 1]) / 2) ** 2 + h[0, 1] ** 2)
    return [middle + spread, middle - spread]


def _three(h: Entries) -> list[torch.Tensor]:
    # Smith, Communications of the ACM 4(4), 168 (1961): trigonometric solution.
    q = (h[0, 0] + h[1, 1] + h[2, 2]) / 3
    off = h[0, 1] ** 2 + h[0, 2] ** 2 + h[1, 2] ** 2
    a, d, f = h[0, 0] - q, h[1, 1] - q, h[2, 2] - q
    p = torch.sqrt((a**2 + d**2 + f**2 + 2 * off) / 6).clamp_min(1e-12)
    a, d, f = a / p, d / p, f / p
    b, c, e = h[0, 1] / p, h[0, 2] / p, h[1, 2] / p
    half_det = (a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)) / 2
    angle = torch.acos(half_det.clamp(-1, 1)) / 3
    largest = q + 2 * p * torch.cos(angle)
    smallest = q + 2 * p * torch.cos(angle + 2 * math.pi / 3)
    return [largest, 3 * q - largest - smallest, smallest]
