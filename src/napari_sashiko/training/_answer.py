"""What a network says while it is judged, also where its device is full."""

import torch

from napari_sashiko.networks import Network
from napari_sashiko.runners import (
    interruptible,
    is_out_of_memory,
    release_memory,
    stop_if_asked,
)


def answer(network: Network, images: torch.Tensor) -> torch.Tensor:
    """Return what a network says of images; on the CPU if memory ran out elsewhere.

    Other networks learn on the device meanwhile, with batches that are made smaller
    when it is full; what is held out stays as large as it is.

    Parameters
    ----------
    network : Network
        Used by nobody else.
    images : torch.Tensor
        ``(B, C, *S)`` on its device.
    """
    try:
        with interruptible(stop_if_asked):
            found: torch.Tensor = network(images)
    except RuntimeError as error:
        if images.device.type == "cpu" or not is_out_of_memory(error):
            raise
    else:
        return found
    release_memory()
    network.to("cpu")
    try:
        with interruptible(stop_if_asked):
            said: torch.Tensor = network(images.cpu())
    finally:
        network.to(images.device)
    return said
