"""Networks that may restore images: those of any size, and encoders made so."""

from typing import Any

from napari_sashiko.config import keyword_settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.networks._building import (
    SUPPLIED,
    built,
    encoder_from_spec,
    network_from_spec,
)
from napari_sashiko.networks._encoder import ENCODERS
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._patchwise import Patchwise


def restorer_names() -> list[str]:
    """Names in `NETWORKS` and in `ENCODERS`, in alphabetical order."""
    return sorted([*NETWORKS, *ENCODERS])


def build_restorer(
    name: str,
    in_channels: int,
    out_channels: int,
    *,
    dims: int,
    seed: int,
    **settings: Any,
) -> Network:
    """Make a network that makes an image of an image, with fresh weights.

    Parameters and errors are those of `build_network`; names are of `ENCODERS`, too.
    """
    shape = (in_channels, out_channels, dims)
    if _known(name) in ENCODERS:
        return Patchwise(built(ENCODERS, name, shape, seed, settings))
    return built(NETWORKS, name, shape, seed, settings)


def restorer_from_spec(spec: dict[str, Any]) -> Network:
    """Rebuild such a network from `Network.spec`; its weights are not the saved ones.

    Raises
    ------
    ModelError
        If the description is damaged or of a network that is not installed.
    """
    if spec.get("name") in ENCODERS:
        return Patchwise(encoder_from_spec(spec))
    return network_from_spec(spec)


def restorer_settings(name: str) -> dict[str, tuple[Any, Any]]:
    """Return what a user may set: annotation and default by name.

    Raises
    ------
    SettingsError
        If there is no network of that name.
    """
    kinds: Any = ENCODERS if _known(name) in ENCODERS else NETWORKS
    return keyword_settings(kinds[name], SUPPLIED)


def _known(name: str) -> str:
    if name not in restorer_names():
        raise SettingsError(
            f"There is no network named {name!r}.",
            f"Known: {', '.join(restorer_names())}.",
        )
    return name
