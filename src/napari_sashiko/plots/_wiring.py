"""From a network's description in ``model.json`` to nodes and edges.

SMSNets carry the graph that was drawn for them. The other kinds are the same for the
same settings: their edges follow from these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_sashiko.errors import PlotError
from napari_sashiko.volumes import reading

MOST_EDGES = 1500  # of a dense network: the shortest ones
LAST = "1×1, to the output"


@dataclass(frozen=True)
class Link:
    """An edge from node `source` to node `target`; `kind` says what it computes."""

    source: int
    target: int
    kind: str


@dataclass(frozen=True)
class NetworkGraph:
    """Nodes and edges of one network.

    Parameters
    ----------
    title : str
        For people.
    nodes : tuple of str
        Names, in the order in which they are computed.
    links : tuple of Link
        Edges; each leads to a later node.
    kinds : tuple of str
        Kinds of edges, in the order of the legend; the last ones may be faint.
    places : tuple of (float, float), optional
        Where each node is drawn; in a row when left out.
    """

    title: str
    nodes: tuple[str, ...]
    links: tuple[Link, ...]
    kinds: tuple[str, ...]
    places: tuple[tuple[float, float], ...] = ()


def graph_of(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """Read the graph of a network from its description.

    Raises
    ------
    PlotError
        If nothing is known about the edges of this kind of network.
    OutputError
        If the description is damaged.
    """
    name = spec.get("name")
    kinds = {
        "smsnet": _sparse,
        "msdnet": _dense,
        "tunet": _levels,
        "unet": _levels,
        "tunet3plus": _full_scale,
        "segnet": _unpooled,
        "pixelnet": _columns,
        "alexnet": _chain,
    }
    if name not in kinds:
        raise PlotError(f"There is no picture of networks of the kind {name!r}.")
    with reading(f"The description of {title}", "Train the model again."):
        graph: NetworkGraph = kinds[str(name)](spec, title)
        count = len(graph.nodes)
        if any(not 0 <= e.source < e.target < count for e in graph.links):
            raise ValueError("an edge leads backwards or nowhere")
        return graph


def _sparse(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """SMSNet: the drawn graph; node 0 is the input."""
    graph = spec["graph"]
    depth = int(graph["depth"])
    edges = [tuple(int(n) for n in edge) for edge in graph["edges"]]
    heads = [int(node) for node in graph["heads"]]
    links = [Link(a, b, _dilated(dilation)) for a, b, dilation in edges]
    links += [Link(node, depth + 1, LAST) for node in heads]
    dilations = sorted({dilation for _, _, dilation in edges})
    return NetworkGraph(
        title,
        _row(depth),
        tuple(links),
        (*map(_dilated, dilations), LAST),
    )


def _dense(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """MSDNet: every layer reads the input and all earlier ones."""
    settings = spec["settings"]
    depth = int(settings["depth"])
    cycle = settings.get("dilations") or range(1, int(settings["max_dilation"]) + 1)
    dilations = [int(cycle[i % len(cycle)]) for i in range(depth)]
    # By their length: of a deep network the short ones are drawn, all alike.
    pairs = (
        (layer + 1 - length, layer + 1)
        for length in range(1, depth + 1)
        for layer in range(length - 1, depth)
    )
    drawn = [pair for pair, _ in zip(pairs, range(MOST_EDGES), strict=False)]
    links = [Link(a, b, _dilated(dilations[b - 1])) for a, b in drawn]
    links += [Link(node, depth + 1, LAST) for node in range(depth + 1)]
    every = depth * (depth + 1) // 2
    if len(drawn) < every:
        title = f"{title}: the {len(drawn)} shortest of {every} edges"
    return NetworkGraph(
        title,
        _row(depth),
        tuple(links),
        (*map(_dilated, sorted(set(dilations))), LAST),
    )


def _levels(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """TUNet and its preset: down through levels of growing width, and up again."""
    settings = {"growth_rate": 2.0, "hidden_rate": 1.0, "pool": 2, **spec["settings"]}
    mid, out = _widths(settings)
    valley = _Valley(out, mid[:-1], settings["pool"], "two convolutions")
    return valley.graph(title, valley.across("skip"))


def _full_scale(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """TUNet3+: every level of the decoder reads every level above, beside and below."""
    settings = spec["settings"]
    _, out = _widths(settings)
    depth = len(out)
    gathered = depth * int(settings["carry_channels"])
    up = [gathered] * (depth - 1)
    valley = _Valley(out, up, settings["pool"], "two convolutions")
    links = []
    for level in range(depth - 1):
        above = [valley.down_at(other) for other in range(level + 1)]
        below = [valley.up_at(other) for other in range(level + 2, depth - 1)]
        lowest = [depth] if level < depth - 2 else []  # else it is the chain itself
        target = valley.up_at(level)
        links += [Link(node, target, "skip") for node in (*above, *lowest, *below)]
    return valley.graph(title, links)


def _unpooled(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """SegNet: maxima go back to their places."""
    widths = _doubled(spec["settings"])
    bottom = "pooled"
    valley = _Valley([*widths, bottom], widths, 2, "two or three convolutions")
    return valley.graph(title, valley.across("places of maxima"))


def _columns(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """PixelNet: all levels at a pixel, side by side."""
    settings = spec["settings"]
    widths, hidden = _doubled(settings), str(settings["hidden_channels"])
    depth = len(widths)
    nodes = ("input", *map(str, widths), hidden, hidden, "output")
    chain = ["two or three convolutions", *["pooling by 2"] * (depth - 1)]
    links = [Link(n, n + 1, kind) for n, kind in enumerate(chain)]
    links += [Link(n, depth + 1, "upsampling") for n in range(1, depth + 1)]
    links += [Link(depth + 1, depth + 2, LAST), Link(depth + 2, depth + 3, LAST)]
    places = [(-0.7, 0.0), *((0.5 * i, -float(i)) for i in range(depth))]
    right = 0.5 * depth
    places += [(right + 0.7 * n, 0.0) for n in range(1, 4)]
    shown = tuple(dict.fromkeys(link.kind for link in links))
    return NetworkGraph(title, nodes, tuple(links), shown, tuple(places))


def _chain(spec: Mapping[str, Any], title: str) -> NetworkGraph:
    """AlexNet: one layer after another."""
    from napari_sashiko.networks.alexnet import layer_channels  # noqa: PLC0415 - torch

    settings = spec["settings"]
    hidden = str(settings["hidden_channels"])
    widths = map(str, layer_channels(settings["base_channels"]))
    nodes = ("input", *widths, hidden, hidden, "output")
    plain, pooled, dense = "convolution", "pooling, convolution", "dense"
    kinds = [plain, pooled, pooled, plain, plain, "pooling, dense", dense, dense]
    links = tuple(Link(n, n + 1, kind) for n, kind in enumerate(kinds))
    return NetworkGraph(title, nodes, links, tuple(dict.fromkeys(kinds)))


def _widths(settings: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    from napari_sashiko.networks.tunet import (  # noqa: PLC0415 - loads torch
        level_channels,
    )

    names = ("depth", "base_channels", "growth_rate", "hidden_rate")
    return level_channels(*(settings[name] for name in names))


def _doubled(settings: Mapping[str, Any]) -> list[int]:
    """Channels of the levels of VGG."""
    base = int(settings["base_channels"])
    return [base * min(2**level, 8) for level in range(int(settings["depth"]))]


class _Valley:
    """Levels on the way down and up, as nodes of a graph.

    Parameters
    ----------
    down, up : sequence
        What stands at the levels, the highest first; the lowest has no way up.
    pool : int
        Edge of a pooling block.
    first : str
        What leads from the input to the highest level.
    """

    def __init__(
        self, down: Sequence[object], up: Sequence[object], pool: int, first: str
    ) -> None:
        depth = len(down)
        names = [*map(str, down), *map(str, reversed(up))]
        self.nodes = ("input", *names, "output")
        self._depth = depth
        pooling, upsampling = f"pooling by {pool}", "upsampling"
        kinds = [first, *[pooling] * (depth - 1), *[upsampling] * (depth - 1), LAST]
        self._links = [Link(n, n + 1, kind) for n, kind in enumerate(kinds)]
        self._shown = (first, pooling, upsampling)

    def down_at(self, level: int) -> int:
        """Node of a level on the way down."""
        return level + 1

    def up_at(self, level: int) -> int:
        """Node of a level on the way up."""
        return len(self.nodes) - 2 - level

    def across(self, kind: str) -> list[Link]:
        """Edges from each level on the way down to the same on the way up."""
        levels = range(self._depth - 1)
        return [Link(self.down_at(n), self.up_at(n), kind) for n in levels]

    def graph(self, title: str, more: Sequence[Link]) -> NetworkGraph:
        """All edges, and where nodes are drawn."""
        depth, right = self._depth, 0.5 * (self._depth - 1)
        places = [(-0.7, 0.0), *((0.5 * i, -float(i)) for i in range(depth))]
        back = range(depth - 2, -1, -1)
        places += [(right + 0.5 * (depth - 1 - i), -float(i)) for i in back]
        places += [(2 * right + 0.7, 0.0)]
        links = (*self._links, *more)
        shown = (*self._shown, *dict.fromkeys(link.kind for link in more), LAST)
        return NetworkGraph(title, self.nodes, links, shown, tuple(places))


def _row(depth: int) -> tuple[str, ...]:
    return ("input", *(str(node) for node in range(1, depth + 1)), "output")


def _dilated(dilation: int) -> str:
    return f"dilation {dilation}"
