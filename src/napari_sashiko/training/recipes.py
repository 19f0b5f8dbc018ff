"""Which networks an ensemble is made of when nobody says."""

from typing import Any

from napari_sashiko.training.settings import TrainingSettings

DEFAULT = "tunet"


def member_recipes(settings: TrainingSettings) -> list[dict[str, Any]]:
    """Name and settings of each network of the ensemble.

    Parameters
    ----------
    settings : TrainingSettings
        ``network`` "auto" takes the default; otherwise all members are of one kind and
        differ in their seed (and graph).
    """
    name = DEFAULT if settings.network == "auto" else settings.network
    given = dict(settings.network_settings)
    if settings.network == "auto" and not given:
        given = {"depth": 3, "base_channels": 16}
    return [{"name": name, "settings": given} for _ in range(settings.members)]
