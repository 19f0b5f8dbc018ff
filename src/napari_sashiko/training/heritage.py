"""What a network has learned, handed on to one for other classes, or other slices."""

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
        channels: int,
        dims: int,
        neighbours: int = 0,
        origin: "Heritage | None" = None,
    ) -> Network:
        """Return a network for other classes that knows what this one does.

        Where it sees more slices than this one did, it says the same at first: what
        comes from the slices that are new counts nothing until it has learned.

        Parameters
        ----------
        ids : sequence of int
            Classes of its outputs; those that nobody knows begin afresh.
        channels : int
            Of the image.
        dims : int
            2 or 3.
        neighbours : int
            Slices on either side that it will see as channels.
        origin : Heritage, optional
            What this one began with; it may know classes that this one does not.

        Raises
        ------
        ModelError
            If this one looks at something else.
        """
        planes = 2 * neighbours + 1
        elders = [self] if origin is None else [self, origin]
        for each in elders:
            each.check(channels, dims)
        spec = {**self.spec, "in_channels": channels * planes}
        network = network_from_spec({**spec, "out_channels": len(ids)})
        by_class = _by_class(self.spec)
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                known = [_seen(each, name, tensor.shape, channels) for each in elders]
                if name not in by_class:
                    tensor.copy_(known[0])
                    continue
                for channel, label in enumerate(ids):
                    pairs = zip(elders, known, strict=True)
                    rows = (t[e.ids.index(label)] for e, t in pairs if label in e.ids)
                    row = next(rows, None)
                    if row is not None:
                        tensor[channel] = row
        return network

    def check(self, channels: int, dims: int) -> None:
        """Refuse to go on where something else is looked at.

        Parameters
        ----------
        channels, dims : int
            Channels of the image, and whether slices (2) or blocks (3) are looked at.

        Raises
        ------
        ModelError
            Naming what was, and what would be.
        """
        mine = self.spec["dims"], self.spec["in_channels"]
        whole = mine[1] % channels == 0 and mine[1] // channels % 2 == 1
        if mine[0] != dims or not whole or (dims == 3 and mine[1] != channels):
            raise ModelError(
                f"The model to begin with has dims {mine[0]} and {mine[1]} input "
                f"channel(s), here it would be dims {dims} and an image of {channels} "
                "channel(s).",
                "Use the same dims, and an image of as many channels; or begin afresh.",
            )


def _seen(elder: Heritage, name: str, shape: torch.Size, channels: int) -> torch.Tensor:
    """A tensor as it is where other slices are seen: new ones count nothing.

    Inputs are the first in their axis, slices of a channel side by side, the slice
    itself in the middle.
    """
    mine = elder.state[name]
    if mine.ndim < 2 or mine.shape[1] == shape[1]:
        return mine
    before = elder.spec["in_channels"]
    after = before + shape[1] - mine.shape[1]
    found = mine.new_zeros((len(mine), shape[1], *mine.shape[2:]))
    found[:, after:] = mine[:, before:]
    old, new = before // channels // 2, after // channels // 2
    common = min(old, new)
    for channel in range(channels):
        here, there = ((2 * n + 1) * channel + n - common for n in (new, old))
        span = 2 * common + 1
        found[:, here : here + span] = mine[:, there : there + span]
    return found


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
