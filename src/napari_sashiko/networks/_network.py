"""What every network is: a module that describes itself in JSON."""

import copy
from typing import Any, Self

import torch
from torch import Tensor, nn

from napari_sashiko.networks._program import Program
from napari_sashiko.registry import Registry

_LAST = ("head", "heads", "bias")  # what the last layer is called


class Network(nn.Module):
    """Ancestor of all networks.

    Input ``(B, in_channels, [Z,] Y, X)`` float, output logits ``(B, out_channels, [Z,]
    Y, X)``, for any spatial size. In evaluation mode a voxel's logits depend on the
    input within `receptive_radius` of it and on nothing else.

    A subclass takes ``in_channels`` and ``out_channels`` by position; ``dims``,
    ``seed`` and, where it draws its architecture, ``graph`` by keyword; then what a
    user may set, annotated with its range and with a default. Its last layer is its
    ``head``, or its ``heads`` and ``bias``.

    Attributes
    ----------
    name : str
        Name in the registry.
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    settings : dict
        What the user set, JSON.
    graph : dict or None
        The drawn architecture, JSON; None for networks that draw nothing.
    receptive_radius : int
        Voxels that a logit can see in each direction; exact or an upper bound.
    align : int
        Windows must start at multiples of this many voxels (the product of all
        poolings) for their results to agree; 1 without pooling.
    dilated : bool
        Whether convolutions have gaps between their taps.
    half_precision : bool
        Whether bfloat16 moves what it says by little.
    half_gradients : bool
        Whether it may learn in bfloat16 on a CPU.
    fades : bool
        Whether what is far from a voxel counts less and less, so that surroundings may
        be cut short.
    squeezes : bool
        Whether all that it says passes through a few numbers, which have no room for
        noise.
    drawn : int or None
        Voxels of each patch that it learns from at once, drawn anew for each step; None
        for all.
    """

    name: str
    receptive_radius: int
    align: int = 1
    dilated: bool = True
    half_precision: bool = True
    half_gradients: bool = True
    fades: bool = True
    squeezes: bool = False
    drawn: int | None = None

    def __init__(
        self, in_channels: int, out_channels: int, *, dims: int, **settings: Any
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.dims = dims
        self.settings = settings
        self.graph: dict[str, Any] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as plain JSON (see `network_from_spec`)."""
        return copy.deepcopy(
            {
                "name": self.name,
                "in_channels": self.in_channels,
                "out_channels": self.out_channels,
                "dims": self.dims,
                "settings": self.settings,
                "graph": self.graph,
            }
        )

    @torch.no_grad()
    def silence(self) -> None:
        """Set the last layer to 0: until it learns, it says 0 everywhere."""
        for name, parameter in self.named_parameters():
            if name.split(".")[0] in _LAST:
                parameter.zero_()

    def penalised(
        self, x: Tensor, where: Tensor | None = None
    ) -> tuple[Any, Tensor | float]:
        """What it says, as `forward`, and what is to be added to its loss.

        Parameters
        ----------
        x : Tensor
            ``(B, in_channels, *S)``.
        where : Tensor, optional
            ``(B, *S)`` bool: the voxels that count, at least one. What is said of
            others may be anything finite.
        """
        del where
        return self(x), 0.0

    def folded(self) -> Self:
        """Return a copy in evaluation mode, as fast as possible, with equal output.

        Networks with normalisation fold it into their weights; the copy is for
        prediction only.
        """
        return copy.deepcopy(self).eval()

    def program(self) -> Program | None:
        """Return the network as sums over maps, if it is one and has no norms.

        The program keeps a copy of the weights.
        """
        return None


NETWORKS: Registry[type[Network]] = Registry("network", "napari_sashiko.networks")
