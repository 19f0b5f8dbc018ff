"""Which networks an ensemble is made of when nobody says."""

from typing import Any

from napari_sashiko.training.learning import LearningSettings

DEFAULT = "tunet"
# Of three kinds given as long, the best on average (docs/explanation/tried.md).
DEFAULT_SETTINGS = {"depth": 3, "base_channels": 16}
WHY = "Small TUNets: of the kinds that were tried, they learn most in the same time."


def member_recipes(settings: LearningSettings) -> list[dict[str, Any]]:
    """Name and settings of each network of the ensemble.

    Parameters
    ----------
    settings : LearningSettings
        ``network`` "auto" takes the default; otherwise all members are of one kind and
        differ in their seed (and graph).
    """
    name = DEFAULT if settings.network == "auto" else settings.network
    given = dict(settings.network_settings)
    if settings.network == "auto" and not given:
        given = dict(DEFAULT_SETTINGS)
    return [{"name": name, "settings": given} for _ in range(settings.members)]


def network_reason(settings: LearningSettings) -> str:
    """Why networks are of their kind; empty where the user has chosen it, or none."""
    return WHY if settings.network == "auto" and settings.members else ""
