"""From a name and settings, or from a saved description, to a network."""

from functools import lru_cache
from typing import Any, TypeVar

from napari_sashiko.config import Settings, keyword_settings, settings_model
from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.networks._encoder import ENCODERS, Encoder
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.registry import Registry

SUPPLIED = ("dims", "seed", "graph")
_CHOSEN = ("edge", "latent")  # by the step, not by the network
_Kind = TypeVar("_Kind", bound=Network)


def build_network(
    name: str,
    in_channels: int,
    out_channels: int,
    *,
    dims: int,
    seed: int,
    **settings: Any,
) -> Network:
    """Make a network with fresh weights; the same seed gives the same network.

    Parameters
    ----------
    name : str
        Name in `NETWORKS`.
    in_channels, out_channels : int
        Image channels and classes.
    dims : int
        2 or 3.
    seed : int
        Seeds architecture and weights; the global random state is not touched.
    **settings
        The network's own settings (see `network_settings`).

    Raises
    ------
    SettingsError
        If the name, a setting, ``dims`` or a channel count is not possible.
    """
    shape = (in_channels, out_channels, dims)
    return built(NETWORKS, name, shape, seed, settings)


def build_encoder(
    name: str,
    channels: int,
    *,
    edge: int,
    latent: int,
    seed: int,
    dims: int = 2,
    **settings: Any,
) -> Encoder:
    """Make an encoder with fresh weights; the same seed gives the same one.

    Parameters
    ----------
    name : str
        Name in `ENCODERS`.
    channels : int
        Image channels, in and out.
    edge : int
        Voxels of a patch along each axis.
    latent : int
        Numbers that are kept of a patch.
    seed : int
        Seeds the weights; the global random state is not touched.
    dims : int
        2 or 3.
    **settings
        The encoder's own settings (see `encoder_settings`).

    Raises
    ------
    SettingsError
        If the name, a setting, ``dims`` or the channel count is not possible.
    """
    given = {"edge": edge, "latent": latent, **settings}
    return built(ENCODERS, name, (channels, channels, dims), seed, given)


def built(
    kinds: Registry[type[_Kind]],
    name: str,
    shape: tuple[int, int, int],
    seed: int,
    settings: dict[str, Any],
) -> _Kind:
    """Make a network of a registry; `shape` is channels in and out, and dims.

    Raises
    ------
    SettingsError
        If the name, a setting, ``dims`` or a channel count is not possible.
    """
    _check_shape(*shape)
    in_channels, out_channels, dims = shape
    values = _checked(kinds[name], settings)
    return kinds[name](in_channels, out_channels, dims=dims, seed=seed, **values)


def network_from_spec(spec: dict[str, Any]) -> Network:
    """Rebuild a network from `Network.spec`; its weights are not the saved ones.

    Raises
    ------
    ModelError
        If the description is damaged or of a network that is not installed.
    """
    return _from_spec(NETWORKS, spec)


def encoder_from_spec(spec: dict[str, Any]) -> Encoder:
    """Rebuild an encoder from `Network.spec`; its weights are not the saved ones.

    Raises
    ------
    ModelError
        If the description is damaged or of an encoder that is not installed.
    """
    return _from_spec(ENCODERS, spec)


def network_settings(name: str) -> dict[str, tuple[Any, Any]]:
    """Return what a user may set: annotation and default by name.

    Raises
    ------
    SettingsError
        If there is no network of that name.
    """
    return keyword_settings(NETWORKS[name], SUPPLIED)


def encoder_settings(name: str) -> dict[str, tuple[Any, Any]]:
    """Return what a user may set about an encoder: annotation and default by name.

    Raises
    ------
    SettingsError
        If there is no encoder of that name.
    """
    return keyword_settings(ENCODERS[name], (*SUPPLIED, *_CHOSEN))


def _from_spec(kinds: Registry[type[_Kind]], spec: dict[str, Any]) -> _Kind:
    try:
        name = spec["name"]
        in_channels, out_channels = int(spec["in_channels"]), int(spec["out_channels"])
        dims, graph = int(spec["dims"]), spec.get("graph")
        drawn = {} if graph is None else {"graph": graph}
        _check_shape(in_channels, out_channels, dims)
        values = _checked(kinds[name], spec["settings"])
        return kinds[name](
            in_channels, out_channels, dims=dims, seed=0, **drawn, **values
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The description of a network is damaged: {error!r}."
        ) from error
    except SettingsError as error:
        raise ModelError("A network cannot be rebuilt.", str(error)) from error


def _checked(kind: Any, settings: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = _settings_model(kind).checked(**settings).model_dump()
    return values


@lru_cache
def _settings_model(kind: Any) -> type[Settings]:
    fields = keyword_settings(kind, SUPPLIED)
    return settings_model(f"{kind.__name__}Settings", fields)


def _check_shape(in_channels: int, out_channels: int, dims: int) -> None:
    if dims not in (2, 3):
        raise SettingsError(f"A network has 2 or 3 dims, not {dims}.")
    if in_channels < 1 or out_channels < 1:
        raise SettingsError(
            f"A network cannot have {in_channels} input and {out_channels} output"
            " channels.",
            "Both must be at least 1.",
        )
