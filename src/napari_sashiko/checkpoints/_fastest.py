"""A network in the form that predicts fastest on its device."""

from collections.abc import Callable

import torch
from torch import Tensor

from napari_sashiko.layers import MOST_OUTPUTS, channels_last, has_native
from napari_sashiko.networks import Network
from napari_sashiko.runners import has_fast_bfloat16

Forward = Callable[[Tensor], Tensor]


def fastest(network: Network, *, exact: bool = False) -> Forward:
    """Return what gives the outputs of `network` in evaluation mode.

    Norms are folded into weights. On a CPU, networks of narrow maps run as a
    `Program`, in full precision. Others run with channels last, and in bfloat16 where
    the device is good at it: outputs then have three digits, enough for logits.

    Parameters
    ----------
    network : Network
        On its device; it is not changed.
    exact : bool
        Whether outputs keep the digits of float32, as an image needs them.
    """
    folded = network.folded()
    device = next(network.parameters()).device
    program = folded.program() if device.type == "cpu" and has_native() else None
    if program is not None and program.widest < MOST_OUTPUTS:
        return program  # wide sums fill a library's vectors, in bfloat16 too
    if device.type == "mps":
        return folded  # channels last is not known to pay there
    layout = channels_last(network.dims)
    half = not exact and network.half_precision and has_fast_bfloat16(device)
    dtype = torch.bfloat16 if half else torch.float32
    ready = folded.to(dtype=dtype, memory_format=layout)  # type: ignore[call-overload]

    def forward(x: Tensor) -> Tensor:
        logits: Tensor = ready(x.to(dtype=dtype, memory_format=layout))
        return logits

    return forward
