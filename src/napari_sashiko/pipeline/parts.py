"""Names of the parts that a user may choose from."""

from napari_sashiko.losses import LOSSES
from napari_sashiko.networks import NETWORKS


def network_names() -> list[str]:
    """Networks that can be trained, those of other packages included."""
    return list(NETWORKS)


def loss_names() -> list[str]:
    """Losses that networks can be trained with, those of other packages included."""
    return list(LOSSES)
