"""Voxels that a network learns from at once, drawn from those that count."""

import torch


def drawn_of(seen: torch.Tensor, most: int, generator: torch.Generator) -> torch.Tensor:
    """Draw some of the voxels that count, in each patch by itself, evenly.

    Parameters
    ----------
    seen : torch.Tensor
        ``(B, *S)`` bool: the voxels that count.
    most : int
        Voxels of each patch at most.
    generator : torch.Generator
        The only source of randomness, on the CPU: every device draws the same.

    Returns
    -------
    torch.Tensor
        ``(B, *S)`` bool.
    """
    drawn = torch.zeros_like(seen).flatten(1)
    for row, places in zip(drawn, seen.flatten(1), strict=True):
        found = places.nonzero()[:, 0]
        picks = torch.randperm(len(found), generator=generator)[:most]
        row[found[picks.to(found.device)]] = True
    return drawn.view_as(seen)
