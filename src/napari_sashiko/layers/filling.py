"""What nobody measured, guessed from around it: coarse to fine."""

import torch
from torch import Tensor
from torch.nn import functional

SMOOTH = {2: "bilinear", 3: "trilinear"}


def fill_unknown(images: Tensor, known: Tensor) -> Tensor:
    """Fill what is unknown with what is known around it.

    Means over known voxels of ever coarser grids, interpolated back: push-pull of
    Gortler et al., SIGGRAPH (1996). Smooth, the same for any size of gap, and where a
    network begins that learns what belongs there.

    Parameters
    ----------
    images : Tensor
        ``(B, C, *S)``, two or three axes; finite where known.
    known : Tensor
        ``(B, 1 or C, *S)``: 1 where it is, else 0.

    Returns
    -------
    Tensor
        ``(B, C, *S)``: `images` where known; 0 where nothing is.
    """
    dims = images.ndim - 2
    values = images.masked_fill(known == 0, 0.0)
    share = known.expand_as(values).to(values)
    if bool((share > 0).all()):
        return values
    sides = images.shape[2:]
    if max(sides) == 1:
        return values
    # An odd end is a cell of its own; what lies beyond is unknown.
    pad = [extra for n in reversed(sides) for extra in (0, n % 2 if n > 1 else 0)]
    size = [2 if n > 1 else 1 for n in sides]
    pool = functional.avg_pool2d if dims == 2 else functional.avg_pool3d
    total, weight = (pool(functional.pad(each, pad), size) for each in (values, share))
    coarse = total / weight.clamp_min(1e-12)
    below = fill_unknown(coarse, (weight > 0).to(values))
    stretched = functional.interpolate(
        below,
        size=[n * s for n, s in zip(below.shape[2:], size, strict=True)],
        mode=SMOOTH[dims],
        align_corners=False,
    )
    inside = (slice(None), slice(None), *(slice(0, n) for n in sides))
    return torch.where(share > 0, values, stretched[inside])
