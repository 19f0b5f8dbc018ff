"""From a network's description in ``model.json`` to nodes and edges.

SMSNets carry the graph that was drawn for them. The other kinds are the same for the
same settings: their edges follow from these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
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
    kinds = {"smsnet": _sparse, "msdnet": _dense, "tunet": _levels}
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
    """TUNet: down through levels of growing width, and up again."""
    from napari_sashiko.networks.tunet import (  # noqa: PLC0415 - loads torch
        level_channels,
    )

    settings = spec["settings"]
    names = ("depth", "base_channels", "growth_rate", "hidden_rate")
    mid, out = level_channels(*(settings[name] for name in names))
    depth = len(mid)
    down = range(depth)
    up = range(depth - 2, -1, -1)
    nodes = ["input", *(str(n) for n in out), *(str(mid[i]) for i in up), "output"]
    places = [(-0.7, 0.0), *((0.5 * i, -float(i)) for i in down)]
    right = 0.5 * (depth - 1)
    places += [(right + 0.5 * (depth - 1 - i), -float(i)) for i in up]
    places += [(2 * right + 0.7, 0.0)]
    chain = pairwise(range(len(nodes)))
    pooling, upsampling = f"pooling by {settings['pool']}", "upsampling"
    kinds = ["two convolutions", *[pooling] * (depth - 1), *[upsampling] * (depth - 1)]
    links = [
        Link(a, b, kind) for (a, b), kind in zip(chain, [*kinds, LAST], strict=True)
    ]
    skips = [Link(i + 1, len(nodes) - 2 - i, "skip") for i in reversed(up)]
    shown = ("two convolutions", pooling, upsampling, "skip", LAST)
    return NetworkGraph(title, tuple(nodes), (*links, *skips), shown, tuple(places))


def _row(depth: int) -> tuple[str, ...]:
    return ("input", *(str(node) for node in range(1, depth + 1)), "output")


def _dilated(dilation: int) -> str:
    return f"dilation {dilation}"
