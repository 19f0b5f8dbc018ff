"""Pictures brought to one mean and contrast, in a graph."""

import torch
from torch import Tensor, nn

from napari_sashiko.volumes import TAILS

LARGEST = float(torch.finfo(torch.float32).max)


class Levelled(nn.Module):
    """What `LevelledVolume` does to each slice, of whole pictures.

    Constants come from all that the graph is given of a picture.
    """

    def forward(self, image: Tensor) -> Tensor:
        """Level each slice of ``(B, C, Z, Y, X)``; what is not finite becomes NaN."""
        values = image.flatten(3)
        known = torch.isfinite(values)
        count = known.sum(3, keepdim=True)
        last = (count - 1).clamp_min(0)
        # What is not finite goes behind what is.
        ordered = torch.where(known, values, LARGEST).sort(3).values
        low, high = (_percentile(ordered, last, tail) for tail in TAILS)
        # Mostly one value: the tails are all there is.
        same = low == high
        low = torch.where(same, ordered[..., :1], low)
        high = torch.where(same, ordered.gather(3, last), high)
        clipped = torch.minimum(torch.maximum(values, low), high)
        shares = 1 / count.clamp_min(1).to(values)
        mean = torch.where(known, clipped, 0.0).sum(3, keepdim=True) * shares
        off = torch.where(known, clipped - mean, 0.0)
        spread = ((off * off).sum(3, keepdim=True) * shares).sqrt()
        spread = torch.where(spread > 0, spread, 1.0)
        return torch.where(known, off / spread, torch.nan).reshape(image.shape)


def _percentile(ordered: Tensor, last: Tensor, percent: float) -> Tensor:
    """Percentile of values in order, of which `last` is the place of the last one."""
    place = last.to(torch.float64) * (percent / 100)
    before = place.floor()
    share = (place - before).to(ordered)
    start = before.to(torch.int64)
    stop = torch.minimum(start + 1, last)
    lower, upper = (ordered.gather(3, at) for at in (start, stop))
    return lower + share * (upper - lower)
