"""MSDNet: every layer reads the input and all earlier maps.

Strategy: convolution is linear, so the sum over all earlier maps need not wait until
their stack is complete. After each block of layers its maps are concatenated once and
convolved once per dilation into the pending sums of all later layers; inside a block a
layer adds the few maps of its own block. The output is added up in the same way. The
result equals the textbook form; the growing stack never exists.
"""

from typing import Annotated, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.layers import (
    Norm,
    NormName,
    add,
    convolve,
    convolve_narrow,
    fill_normal,
    fold_scale,
    kaiming_std,
    make_norm,
)
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._program import (
    Program,
    Step,
    as_array,
    as_taps,
)

_BLOCK = 8


@NETWORKS.register("msdnet")
class MSDNet(Network):
    """Mixed-scale dense network of width 1.

    Layer i makes ``map_i = relu(norm(sum of dilated 3x3(x3) convolutions of the input
    and all earlier maps))`` with dilation ``(i mod max_dilation) + 1``, or from an
    explicit list; logits are a 1x1 convolution of the input and all maps. Source: Pelt
    & Sethian, PNAS 115, 254 (2018).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds the weights.
    depth : int
        Layers, that is feature maps.
    max_dilation : int
        Dilations cycle through 1..max_dilation, voxels.
    dilations : tuple of int, optional
        An explicit cycle of dilations instead.
    norm : {"batch", "none"}
        What follows the sum of a layer; "none" leaves a bias.
    """

    name = "msdnet"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        depth: Annotated[int, Ge(1), Le(400)] = 50,
        max_dilation: Annotated[int, Ge(1), Le(64)] = 10,
        dilations: tuple[Annotated[int, Gt(0), Le(64)], ...] | None = None,
        norm: NormName = "batch",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            dims=dims,
            depth=depth,
            max_dilation=max_dilation,
            dilations=list(dilations) if dilations else None,
            norm=norm,
        )
        cycle = dilations or range(1, max_dilation + 1)
        self.dilations = [cycle[i % len(cycle)] for i in range(depth)]
        self.receptive_radius = sum(self.dilations)
        self._build(norm)
        self._fill(torch.Generator().manual_seed(seed))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        pending: dict[int, Tensor] = {}
        out = convolve(x, self.heads[0], self.bias)
        self._spread(0, x, pending)
        for number, start in enumerate(range(0, len(self.dilations), _BLOCK), start=1):
            stop = min(start + _BLOCK, len(self.dilations))
            maps = self._block(start, stop, pending)
            out = add(out, convolve(maps, self.heads[number]))
            self._spread(number, maps, pending)
        return out

    def folded(self) -> Self:
        """Return a copy whose norms are folded into the convolutions before them."""
        if self.settings["norm"] == "none":
            return super().folded()
        settings = {**self.spec["settings"], "norm": "none"}
        plain = type(self)(
            self.in_channels, self.out_channels, dims=self.dims, seed=0, **settings
        ).to(self.bias.device)
        plain.load_state_dict(self._folded_state())
        return plain.eval()

    def _folded_state(self) -> dict[str, Tensor]:
        folds = [fold_scale(norm) for norm in self.norms if isinstance(norm, Norm)]
        scales = torch.cat([scale for scale, _ in folds])
        state = {k: v for k, v in self.state_dict().items() if "norms" not in k}
        for layer, (_, shift) in enumerate(folds):
            state[f"norms.{layer}.bias"] = shift
        for key in self.within:
            state[f"within.{key}"] = state[f"within.{key}"] * scales[int(key)]
        for i, (_, layers) in enumerate(self._across_layers):
            rows = scales[layers].view(-1, *(1,) * (self.dims + 1))
            state[f"across.{i}"] = state[f"across.{i}"] * rows
        return state

    def program(self) -> Program | None:
        """Return the network as sums over maps, if it has no norms.

        Layers of one dilation are summed together: when the turn of the first of them
        comes, the maps that are new since the last turn are added to all of them.
        """
        if self.settings["norm"] != "none":
            return None
        rows, inputs, steps = self._rows(), self.in_channels, []
        heads = as_array(torch.cat(list(self.heads), dim=1)).reshape(len(self.bias), -1)
        bias = as_array(torch.cat([norm.get_parameter("bias") for norm in self.norms]))
        known: dict[int, int] = {}
        for layer, dilation in enumerate(self.dilations):
            together = _by_dilation(self.dilations, first=layer)[dilation]
            start, stop = known.get(dilation, 0), inputs + layer
            weights = torch.stack([rows[each][start:stop] for each in together])
            finished = np.zeros((len(heads), len(together)), np.float32)
            finished[:, 0] = heads[:, stop]
            steps.append(
                Step(
                    outputs=tuple(inputs + each for each in together),
                    sources=tuple((each, dilation) for each in range(start, stop)),
                    weights=as_taps(weights),
                    bias=bias[together],
                    fresh=dilation not in known,
                    finished=1,
                    heads=finished,
                )
            )
            known[dilation] = stop
        return Program(steps, inputs, as_array(self.bias), heads[:, :inputs])

    def _rows(self) -> list[Tensor]:
        """Weights of each layer, ``(in_channels + layer, *k)``."""
        parts: list[list[Tensor]] = [[] for _ in self.dilations]
        for place in (place for places in self._leaving for place in places):
            _, layers = self._across_layers[place]
            weights = self.across[place].detach()
            for layer, row in zip(layers, weights, strict=True):
                parts[layer].append(row)
        for key, weight in self.within.items():
            parts[int(key)].append(weight.detach()[0])
        return [torch.cat(each) for each in parts]

    def _block(self, start: int, stop: int, pending: dict[int, Tensor]) -> Tensor:
        """Compute the maps of layers start..stop-1, ``(B, stop - start, *S)``."""
        maps: list[Tensor] = []
        for layer in range(start, stop):
            total = pending.pop(layer)
            if maps:
                own = torch.cat(maps, dim=1) if len(maps) > 1 else maps[0]
                weight = self.within[str(layer)]
                dilation = self.dilations[layer]
                total = add(total, convolve_narrow(own, weight, dilation=dilation))
            maps.append(functional.relu_(self.norms[layer](total)))
        return torch.cat(maps, dim=1) if len(maps) > 1 else maps[0]

    def _spread(self, number: int, maps: Tensor, pending: dict[int, Tensor]) -> None:
        """Add what block ``number`` (0: the input) gives to all later layers."""
        for key in self._leaving[number]:
            dilation, layers = self._across_layers[key]
            parts = convolve_narrow(maps, self.across[key], dilation=dilation)
            for layer, part in zip(
                layers, parts.chunk(len(layers), dim=1), strict=True
            ):
                known = pending.get(layer)
                pending[layer] = part if known is None else add(known, part)

    def _build(self, norm: NormName) -> None:
        depth, kernel = len(self.dilations), (3,) * self.dims
        starts = range(0, depth, _BLOCK)
        widths = [self.in_channels, *(min(_BLOCK, depth - s) for s in starts)]
        self.across = nn.ParameterList()
        self._across_layers: list[tuple[int, list[int]]] = []
        self._leaving: list[list[int]] = []
        for number, width in enumerate(widths):
            groups = _by_dilation(self.dilations, first=number * _BLOCK)
            count = len(self.across)
            self._leaving.append(list(range(count, count + len(groups))))
            for dilation, layers in groups.items():
                self._across_layers.append((dilation, layers))
                self.across.append(torch.empty((len(layers), width, *kernel)))
        self.within = nn.ParameterDict(
            {
                str(i): torch.empty((1, i % _BLOCK, *kernel))
                for i in range(depth)
                if i % _BLOCK
            }
        )
        self.norms = nn.ModuleList(make_norm(norm, 1) for _ in range(depth))
        shapes = [(self.out_channels, w, *(1,) * self.dims) for w in widths]
        self.heads = nn.ParameterList(torch.empty(shape) for shape in shapes)
        self.bias = nn.Parameter(torch.zeros(self.out_channels))

    def _fill(self, generator: torch.Generator) -> None:
        taps = 3**self.dims
        for (_, layers), weight in zip(self._across_layers, self.across, strict=True):
            for row, layer in zip(weight.detach(), layers, strict=True):
                std = kaiming_std(taps * (self.in_channels + layer))
                fill_normal(row, std, generator)
        for key, weight in self.within.items():
            std = kaiming_std(taps * (self.in_channels + int(key)))
            fill_normal(weight, std, generator)
        read = self.in_channels + len(self.dilations)
        for head in self.heads:
            fill_normal(head, kaiming_std(read, gain=1.0), generator)


def _by_dilation(dilations: list[int], *, first: int) -> dict[int, list[int]]:
    """Return the layers from ``first`` on, by dilation."""
    groups: dict[int, list[int]] = {}
    for layer in range(first, len(dilations)):
        groups.setdefault(dilations[layer], []).append(layer)
    return groups
