"""The parts that a user may choose from by name, and what may be set about each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from napari_sashiko.config import Settings, keyword_settings, settings_model
from napari_sashiko.errors import SettingsError
from napari_sashiko.losses import IMAGE_LOSSES, LOSSES
from napari_sashiko.networks import (
    ENCODERS,
    NETWORKS,
    RECONSTRUCTORS,
    encoder_settings,
    network_settings,
    reconstructor_settings,
    restorer_names,
    restorer_settings,
)

Fields = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class _Kind:
    """Where names of a kind come from, and what may be set about one of them."""

    names: Callable[[], Iterable[str]]
    fields: Callable[[str], Fields]


def _loss_settings(name: str) -> Fields:
    return keyword_settings(LOSSES[name])


def _image_loss_settings(name: str) -> Fields:
    return keyword_settings(IMAGE_LOSSES[name])


KINDS: Mapping[str, _Kind] = {
    "network": _Kind(lambda: NETWORKS, network_settings),
    "restorer": _Kind(restorer_names, restorer_settings),
    "encoder": _Kind(lambda: ENCODERS, encoder_settings),
    "reconstructor": _Kind(lambda: RECONSTRUCTORS, reconstructor_settings),
    "loss": _Kind(lambda: LOSSES, _loss_settings),
    "image loss": _Kind(lambda: IMAGE_LOSSES, _image_loss_settings),
}


def part_names(kind: str) -> list[str]:
    """Names of a kind of parts, those of other packages included.

    Parameters
    ----------
    kind : str
        ``"network"``, ``"restorer"``, ``"encoder"``, ``"reconstructor"``, ``"loss"``
        or ``"image loss"``.

    Raises
    ------
    SettingsError
        If there is no such kind.
    """
    return list(_kind(kind).names())


def part_settings(kind: str, name: str) -> type[Settings]:
    """Make settings of what a user may set about a part.

    Raises
    ------
    SettingsError
        If there is no such kind, or no part of that name.
    """
    return settings_model(f"{name} settings", _kind(kind).fields(name))


def _kind(kind: str) -> _Kind:
    if kind not in KINDS:
        raise SettingsError(
            f"There is no kind of parts named {kind!r}.", f"Known: {', '.join(KINDS)}."
        )
    return KINDS[kind]
