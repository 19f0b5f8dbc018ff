"""What a network has learned, handed on to one for other classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from napari_sashiko.errors import ModelError
from napari_sashiko.labels import LabelClass
from napari_sashiko.networks import Network, network_from_spec

NOBODY = 0  # id of a class that nobody paints


@dataclass(frozen=True, eq=False)
class Heritage:
    """A trained network.

    Attributes
    ----------
    spec : dict
        Its `Network.spec`.
    state : mapping
        Its tensors, by name.
    ids : tuple of int
        The class of each output; ``NOBODY`` for one that is not wanted any more.
    history : sequence of dict
        Scores of its epochs, where they are to be continued.
    names : tuple of str
        Names of the outputs, where `among` is to find their classes by them.
    """

    spec: dict[str, Any]
    state: Mapping[str, torch.Tensor]
    ids: tuple[int, ...] = ()
    history: Sequence[dict[str, float]] = field(default_factory=tuple)
    names: tuple[str, ...] = ()

    def among(self, classes: Sequence[LabelClass]) -> "Heritage":
        """Find outputs again among classes that have their names."""
        if not self.names:
            return self
        known = {_plain(each.name): each.id for each in classes}
        ids = tuple(known.get(_plain(name), NOBODY) for name in self.names)
        return replace(self, ids=ids)

    def network(
        self,
        ids: Sequence[int],
        *,
        in_channels: int,
        dims: int,
        origin: "Heritage | None" = None,
    ) -> Network:
        """Return a network for other classes that knows what this one does.

        Parameters
        ----------
        ids : sequence of int
            Classes of its outputs; those that nobody knows begin afresh.
        in_channels, dims : int
            What it will be given.
        origin : Heritage, optional
            What this one began with; it may know classes that this one does not.

        Raises
        ------
        ModelError
            If this one looks at something else.
        """
        for key, wanted in (("in_channels", in_channels), ("dims", dims)):
            if self.spec[key] != wanted:
                raise ModelError(
                    f"The model to begin with has {key} {self.spec[key]}, here it "
                    f"would be {wanted}.",
                    "Use the same dims and neighbours, and an image of as many "
                    "channels; or begin afresh.",
                )
        network = network_from_spec({**self.spec, "out_channels": len(ids)})
        by_class = _by_class(self.spec)
        elders = [self] if origin is None else [self, origin]
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                if name not in by_class:
                    tensor.copy_(self.state[name])
                    continue
                for channel, label in enumerate(ids):
                    elder = next((each for each in elders if label in each.ids), None)
                    if elder is not None:
                        tensor[channel] = elder.state[name][elder.ids.index(label)]
        return network


def _plain(name: str) -> str:
    return name.strip().casefold()


def _by_class(spec: dict[str, Any]) -> set[str]:
    """Names of tensors with a row for each class."""
    one, more = (
        network_from_spec({**spec, "out_channels": spec["out_channels"] + extra})
        for extra in (0, 1)
    )
    grown = {name: tensor.shape for name, tensor in more.state_dict().items()}
    return {
        name for name, tensor in one.state_dict().items() if tensor.shape != grown[name]
    }
