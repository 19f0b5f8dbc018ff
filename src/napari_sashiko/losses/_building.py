"""From a name and settings to a loss."""

import inspect
from functools import partial
from typing import Any

from napari_sashiko.errors import SettingsError
from napari_sashiko.losses._masking import LOSSES, Loss


def build_loss(name: str, **settings: Any) -> Loss:
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
        If there is no such loss, or it has no such setting.
    """
    loss = LOSSES[name]
    known = [
        key
        for key, parameter in inspect.signature(loss).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for key in settings:
        if key not in known:
            raise SettingsError(
                f"The loss {name!r} has no setting {key!r}.",
                f"Known: {', '.join(known)}." if known else "It has none at all.",
            )
    return partial(loss, **settings) if settings else loss
