"""What networks are that make an image of a sinogram, and how they are built."""

import copy
from abc import abstractmethod
from functools import lru_cache
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.config import Settings, keyword_settings, settings_model
from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.layers import Convolution
from napari_sashiko.networks._network import Network
from napari_sashiko.registry import Registry

SUPPLIED = ("seed",)
Shape = tuple[int, int]


class Reconstructor(Network):
    """Ancestor of networks that make an image of a sinogram.

    Input ``(B, 1, angles, detectors)``, output ``(B, 1, size, size)``, both of the one
    size that the network was made for: its weights belong to places. In all else it is
    a network of two dimensions.

    A subclass takes `sinogram` and `size` by position, then ``seed`` and what a user
    may set by keyword.

    Attributes
    ----------
    sinogram : (int, int)
        Angles and detectors.
    size : int
        Side of the image.
    """

    dilated = False
    half_precision = False
    receptive_radius = 0  # it sees everything

    def __init__(self, sinogram: Shape, size: int, **settings: Any) -> None:
        super().__init__(1, 1, dims=2, **settings)
        self.sinogram = sinogram
        self.size = size

    @staticmethod
    @abstractmethod
    def count(sinogram: Shape, size: int, **settings: Any) -> int:
        """Weights of a network that nobody has to build for it.

        Parameters
        ----------
        sinogram : (int, int)
            Angles and detectors.
        size : int
            Side of the image.
        **settings
            All that a user may set.
        """

    @property
    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as plain JSON."""
        return copy.deepcopy(
            {
                "name": self.name,
                "sinogram": list(self.sinogram),
                "size": self.size,
                "settings": self.settings,
            }
        )


RECONSTRUCTORS: Registry[type[Reconstructor]] = Registry(
    "reconstructing network", "napari_sashiko.networks"
)


def build_reconstructor(
    name: str, sinogram: Shape, size: int, *, seed: int, **settings: Any
) -> Reconstructor:
    """Make a network with fresh weights; the same seed gives the same network.

    Parameters
    ----------
    name : str
        Name in `RECONSTRUCTORS`.
    sinogram : (int, int)
        Angles and detectors.
    size : int
        Side of the image.
    seed : int
        Seeds the weights; the global random state is not touched.
    **settings
        The network's own settings (see `reconstructor_settings`).

    Raises
    ------
    SettingsError
        If the name, a setting or a size is not possible.
    """
    values = _checked(name, sinogram, size, settings)
    return RECONSTRUCTORS[name](sinogram, size, seed=seed, **values)


def reconstructor_weights(
    name: str, sinogram: Shape, size: int, **settings: Any
) -> int:
    """Count the weights of a network without building it; arguments as there.

    Raises
    ------
    SettingsError
        If the name, a setting or a size is not possible.
    """
    values = _checked(name, sinogram, size, settings)
    return RECONSTRUCTORS[name].count(sinogram, size, **values)


def reconstructor_from_spec(spec: dict[str, Any]) -> Reconstructor:
    """Rebuild a network from `Reconstructor.spec`; its weights are not the saved ones.

    Raises
    ------
    ModelError
        If the description is damaged or of a network that is not installed.
    """
    try:
        angles, detectors = (int(extent) for extent in spec["sinogram"])
        return build_reconstructor(
            spec["name"],
            (angles, detectors),
            int(spec["size"]),
            seed=0,
            **spec["settings"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The description of a network is damaged: {error!r}."
        ) from error
    except SettingsError as error:
        raise ModelError("A network cannot be rebuilt.", str(error)) from error


def reconstructor_settings(name: str) -> dict[str, tuple[Any, Any]]:
    """Return what a user may set: annotation and default by name.

    Raises
    ------
    SettingsError
        If there is no network of that name.
    """
    return keyword_settings(RECONSTRUCTORS[name], SUPPLIED)


class Cascade(nn.Module):
    """Convolutions with a ReLU between each two, none behind the last.

    Parameters
    ----------
    widths : sequence of int
        Channels before the first, between, and behind the last.
    kernels : sequence of int
        One for each convolution.
    generator : torch.Generator
        Draws the initial weights.
    """

    def __init__(
        self, widths: tuple[int, ...], kernels: tuple[int, ...], generator: Any
    ) -> None:
        super().__init__()
        last = len(kernels) - 1
        self.stages = nn.ModuleList(
            Convolution(
                before,
                after,
                dims=2,
                generator=generator,
                kernel=kernel,
                gain=1.0 if place == last else 2.0**0.5,
            )
            for place, (before, after, kernel) in enumerate(
                zip(widths[:-1], widths[1:], kernels, strict=True)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``(B, C, Y, X)``."""
        for place, stage in enumerate(self.stages):
            x = stage(functional.relu(x) if place else x)
        return x


def cascade_weights(widths: tuple[int, ...], kernels: tuple[int, ...]) -> int:
    """Count the weights of a `Cascade`."""
    return sum(
        before * after * kernel**2 + after
        for before, after, kernel in zip(widths[:-1], widths[1:], kernels, strict=True)
    )


def dense_weights(widths: tuple[int, ...]) -> int:
    """Count the weights of dense layers one behind the other."""
    return sum(before * after + after for before, after in pairwise(widths))


def _checked(
    name: str, sinogram: Shape, size: int, settings: dict[str, Any]
) -> dict[str, Any]:
    values = _settings_model(name).checked(**settings).model_dump()
    if min(*sinogram, size) < 1:
        raise SettingsError(
            f"A network cannot make an image of side {size} of a sinogram of "
            f"{sinogram[0]} x {sinogram[1]}.",
            "All must be at least 1.",
        )
    return values


@lru_cache
def _settings_model(name: str) -> type[Settings]:
    title = f"{RECONSTRUCTORS[name].__name__}Settings"
    return settings_model(title, reconstructor_settings(name))
