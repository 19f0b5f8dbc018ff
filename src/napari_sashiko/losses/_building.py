"""From a name and settings to a loss."""

from functools import partial
from typing import Any

from napari_sashiko.config import keyword_settings, settings_model
from napari_sashiko.losses._masking import LOSSES, Loss


def build_loss(name: str, /, **settings: Any) -> Loss:
    """Return a loss with its settings filled in.

    Parameters
    ----------
    name : str
        Name in `LOSSES`.
    **settings
        Keyword-only parameters of the loss.

    Raises
    ------
    SettingsError
        If there is no such loss, it has no such setting, or not of this value.
    """
    loss = LOSSES[name]
    model = settings_model(f"{name} settings", keyword_settings(loss))
    return partial(loss, **model.checked(**settings).model_dump())
