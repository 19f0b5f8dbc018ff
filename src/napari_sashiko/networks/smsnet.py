"""SMSNet: a sparse random graph of dilated convolutions.

Strategy: a node's value is ``act(norm(sum of its incoming convolutions))``. All edges
that leave one node with one dilation are one convolution, whose output channels are
split and added to the sums of their targets; edges from the input are made in groups of
nodes, just before the first of them is needed. The output is a sum of 1x1
convolutions, added up as soon as a node is known. So each map is freed after its last
use and nothing is ever concatenated.
"""

from collections import defaultdict
from typing import Annotated, Any, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Len
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_sashiko.errors import SettingsError
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
from napari_sashiko.networks._graph import GraphRecipe, SparseGraph, sample_graph
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._program import (
    Program,
    Step,
    as_array,
    as_taps,
)

# Below this a convolution of the input costs the same for fewer channels; above it,
# sums only wait in memory.
_CHANNELS_AT_ONCE = 32
_DEFAULT_WIDTH = {2: 10, 3: 6}

Probability = Annotated[float, Ge(0.0), Le(1.0)]


class _Fan(nn.Module):
    """All edges that leave one node with one dilation, as one convolution.

    Parameters
    ----------
    source : int
        Node whose value is convolved; 0 is the input.
    dilation : int
        Distance between kernel taps, voxels.
    targets : tuple of int
        Nodes whose sums grow, in the order of the output channels.
    shape : tuple of int
        Shape of the weight, ``(len(targets) * width, channels, *k)``.
    """

    def __init__(
        self,
        source: int,
        dilation: int,
        targets: tuple[int, ...],
        shape: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.source = source
        self.dilation = dilation
        self.targets = targets
        self.weight = nn.Parameter(torch.empty(shape))

    def forward(self, x: Tensor, sums: dict[int, Tensor]) -> None:
        """Convolve ``x`` ``(B, C, *S)`` and add the parts to ``sums``."""
        y = convolve_narrow(x, self.weight, dilation=self.dilation)
        parts = y.chunk(len(self.targets), dim=1)
        for target, part in zip(self.targets, parts, strict=True):
            sums[target] = add(sums[target], part) if target in sums else part


@NETWORKS.register("smsnet")
class SMSNet(Network):
    """Sparse mixed-scale network with a graph drawn from the seed.

    Source: Roberts et al., "DLSIA", J. Appl. Cryst. 57, 392 (2024), section 2.4; nodes
    sum their incoming edges.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    dims : int
        2 or 3.
    seed : int
        Seeds graph and weights.
    graph : dict, optional
        A saved graph; without it one is drawn.
    depth : int
        Hidden nodes.
    width : int, optional
        Feature maps per node; 10 in 2D and 6 in 3D when None (about 45 000 weights).
    k_min, k_max : int
        Fewest and most hidden targets of a node.
    gamma : float, optional
        Degree n has probability proportional to ``exp(-gamma * n)``; drawn from
        U(0, 0.5) when None.
    alpha : float, optional
        A target at distance s has weight ``exp(-alpha * s)``; drawn from U(0.75, 1)
        when None.
    p_il, p_lo : float
        Probability of an edge input -> hidden, hidden -> output.
    p_io : bool
        Whether the output reads the input directly.
    dilations : tuple of int
        Choices for the dilation of an edge between hidden nodes, voxels.
    norm : {"batch", "none"}
        What follows the sum of a node.
    """

    name = "smsnet"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int,
        seed: int,
        graph: dict[str, Any] | None = None,
        depth: Annotated[int, Ge(1), Le(200)] = 20,
        width: Annotated[int, Ge(1), Le(64)] | None = None,
        k_min: Annotated[int, Ge(1), Le(200)] = 1,
        k_max: Annotated[int, Ge(1), Le(200)] = 5,
        gamma: Annotated[float, Ge(0.0), Le(10.0)] | None = None,
        alpha: Annotated[float, Ge(0.0), Le(10.0)] | None = None,
        p_il: Probability = 1.0,
        p_lo: Probability = 1.0,
        p_io: bool = True,
        dilations: Annotated[tuple[Annotated[int, Gt(0), Le(64)], ...], Len(1)] = (
            1,
            2,
            4,
            8,
            16,
        ),
        norm: NormName = "batch",
    ) -> None:
        if k_min > k_max:
            raise SettingsError(f"k_min = {k_min} is larger than k_max = {k_max}.")
        width = _DEFAULT_WIDTH[dims] if width is None else width
        rng = np.random.default_rng(seed)
        drawn_gamma, drawn_alpha = rng.uniform(0.0, 0.5), rng.uniform(0.75, 1.0)
        recipe = GraphRecipe(
            depth=depth,
            k_min=k_min,
            k_max=k_max,
            gamma=float(drawn_gamma if gamma is None else gamma),
            alpha=float(drawn_alpha if alpha is None else alpha),
            p_il=p_il,
            p_lo=p_lo,
            p_io=p_io,
            dilations=dilations,
        )
        settings = {**vars(recipe), "dilations": list(dilations)}
        super().__init__(
            in_channels, out_channels, dims=dims, width=width, norm=norm, **settings
        )
        plan = sample_graph(recipe, rng) if graph is None else None
        self._plan = plan or SparseGraph.from_json(graph or {})
        self.graph = self._plan.to_json()
        self.receptive_radius = self._plan.receptive_radius()
        self._build(width, norm)
        self._fill(torch.Generator().manual_seed(seed))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        sums: dict[int, Tensor] = {}
        out = self._start(x)
        for node in range(1, self._plan.depth + 1):
            for fan in self._fans_before[node]:
                self.fans[fan](x, sums)
            value = functional.relu_(self.norms[node - 1](sums.pop(node)))
            for fan in self._fans_after[node]:
                self.fans[fan](value, sums)
            if str(node) in self.heads:
                out = add(out, convolve(value, self.heads[str(node)]))
        return out

    def folded(self) -> Self:
        """Return a copy whose norms are folded into the convolutions before them."""
        if self.settings["norm"] == "none":
            return super().folded()
        spec = self.spec
        plain = type(self)(
            self.in_channels,
            self.out_channels,
            dims=self.dims,
            seed=0,
            graph=spec["graph"],
            **{**spec["settings"], "norm": "none"},
        ).to(self.bias.device)
        plain.load_state_dict(self._folded_state())
        return plain.eval()

    def _folded_state(self) -> dict[str, Tensor]:
        folds = [fold_scale(norm) for norm in self.norms if isinstance(norm, Norm)]
        state = {k: v for k, v in self.state_dict().items() if "norms" not in k}
        for i, (_, shift) in enumerate(folds):
            state[f"norms.{i}.bias"] = shift
        for i, fan in enumerate(self._each_fan()):
            scale = torch.cat([folds[node - 1][0] for node in fan.targets])
            rows = scale.view(-1, *(1,) * (self.dims + 1))
            state[f"fans.{i}.weight"] = fan.weight.detach() * rows
        return state

    def program(self) -> Program | None:
        """Return the network as sums over maps, if it has no norms."""
        if self.settings["norm"] != "none":
            return None
        first = {0: range(self.in_channels)}
        width, start = self.settings["width"], self.in_channels
        for node in range(1, self._plan.depth + 1):
            first[node] = range(start, start + width)
            start += width
        edges = defaultdict(list)
        for fan in self._each_fan():
            blocks = fan.weight.detach().chunk(len(fan.targets))
            for target, block in zip(fan.targets, blocks, strict=True):
                edges[target].append((first[fan.source], fan.dilation, block))
        steps = [self._step(node, first[node], edges[node]) for node in edges]
        return Program(
            sorted(steps, key=lambda step: step.outputs),
            self.in_channels,
            as_array(self.bias),
            self._head(0, self.in_channels),
        )

    def _step(self, node: int, maps: range, edges: list[Any]) -> Step:
        return Step(
            outputs=tuple(maps),
            sources=tuple((m, d) for sources, d, _ in edges for m in sources),
            weights=as_taps(torch.cat([block for _, _, block in edges], dim=1)),
            bias=as_array(self.norms[node - 1].get_parameter("bias")),
            fresh=True,
            finished=len(maps),
            heads=self._head(node, len(maps)),
        )

    def _head(self, node: int, maps: int) -> NDArray[np.float32]:
        if str(node) not in self.heads:
            return np.zeros((self.out_channels, maps), np.float32)
        return as_array(self.heads[str(node)]).reshape(self.out_channels, maps)

    def _each_fan(self) -> list[_Fan]:
        return [fan for fan in self.fans if isinstance(fan, _Fan)]

    def _start(self, x: Tensor) -> Tensor:
        if "0" in self.heads:
            return convolve(x, self.heads["0"], self.bias)
        shape = (1, -1, *(1,) * self.dims)
        return self.bias.view(shape).repeat(x.shape[0], 1, *x.shape[2:])

    def _build(self, width: int, norm: NormName) -> None:
        kernel = (3,) * self.dims
        self.fans = nn.ModuleList()
        self._fans_before: dict[int, list[int]] = defaultdict(list)
        self._fans_after: dict[int, list[int]] = defaultdict(list)
        for source, dilation, targets in _group_edges(self._plan, width):
            channels = width if source else self.in_channels
            shape = (len(targets) * width, channels, *kernel)
            when = self._fans_after[source] if source else self._fans_before[targets[0]]
            when.append(len(self.fans))
            self.fans.append(_Fan(source, dilation, targets, shape))
        self.norms = nn.ModuleList(
            make_norm(norm, width) for _ in range(self._plan.depth)
        )
        self.heads = nn.ParameterDict(
            {
                str(node): torch.empty(
                    (self.out_channels, width if node else self.in_channels)
                    + (1,) * self.dims
                )
                for node in self._plan.heads
            }
        )
        self.bias = nn.Parameter(torch.zeros(self.out_channels))

    def _fill(self, generator: torch.Generator) -> None:
        # A node sums all its edges, so its fan-in is theirs together.
        fan_in: dict[int, int] = defaultdict(int)
        for fan in self._each_fan():
            for target in fan.targets:
                fan_in[target] += fan.weight[0].numel()
        for fan in self._each_fan():
            blocks = fan.weight.detach().chunk(len(fan.targets))
            for target, block in zip(fan.targets, blocks, strict=True):
                fill_normal(block, kaiming_std(fan_in[target]), generator)
        read = sum(head[0].numel() for head in self.heads.values())
        for head in self.heads.values():
            fill_normal(head, kaiming_std(read, gain=1.0), generator)


def _group_edges(
    graph: SparseGraph, width: int
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return (source, dilation, targets in order) of edges that are made together."""
    together = max(_CHANNELS_AT_ONCE // width, 1)
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for edge in graph.edges:
        batch = 0 if edge.source else (edge.target - 1) // together
        groups[edge.source, edge.dilation, batch].append(edge.target)
    return [(key[0], key[1], tuple(sorted(groups[key]))) for key in sorted(groups)]
