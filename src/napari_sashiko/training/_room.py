"""Whether networks fit into memory, asked before any of it is full."""

import torch

from napari_sashiko.networks import Network
from napari_sashiko.runners import check_memory

# Weights, gradients, two moments of the optimiser, the moving average, the best so far.
COPIES = 6
# In main memory where a GPU learns: as it is built, the best, and what follows it.
COPIES_BESIDE = 3
BYTES = 4  # of a weight
SMALLER = "Take fewer channels in the settings of the network, or fewer members."


def check_room(
    weights: int, members: int, device: torch.device, *, what: str, instead: str
) -> None:
    """Refuse networks whose weights do not fit, with what belongs to them.

    Parameters
    ----------
    weights, members : int
        Of each network, and how many there are.
    device : torch.device
        Where they learn.
    what, instead : str
        What they are, and what to do about it.

    Raises
    ------
    DeviceError
        If there is less memory, on the device or beside it.
    """
    places = {"cpu": COPIES_BESIDE} | {str(device): COPIES}
    for place, copies in places.items():
        check_memory(
            members * weights * BYTES * copies,
            place,
            f"Training {what}, {weights:,} weights each,",
            instead,
        )


def check_room_of(network: Network, members: int, device: torch.device) -> None:
    """Refuse networks of which one is built; see `check_room`."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    what = f"{members} x {network.name}"
    check_room(weights, members, device, what=what, instead=SMALLER)
