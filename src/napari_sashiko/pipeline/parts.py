"""Names of the parts that a user may choose from."""

from napari_sashiko import networks
from napari_sashiko.config import Settings, settings_model
from napari_sashiko.losses import LOSSES
from napari_sashiko.networks import NETWORKS


def network_names() -> list[str]:
    """Networks that can be trained, those of other packages included."""
    return list(NETWORKS)


def restorer_names() -> list[str]:
    """Networks that can learn to restore images."""
    return networks.restorer_names()


def restorer_settings(name: str) -> type[Settings]:
    """Make settings of what a user may set about such a network.

    Raises
    ------
    SettingsError
        If there is no network of that name.
    """
    return settings_model(f"{name} settings", networks.restorer_settings(name))


def loss_names() -> list[str]:
    """Losses that networks can be trained with, those of other packages included."""
    return list(LOSSES)
