"""What the networks of a model are made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_sashiko.errors import PlotError
from napari_sashiko.plots._figure import (
    FONT,
    PLOTS,
    WORDS,
    PlotData,
    add_legend,
    dress,
    new_figure,
)
from napari_sashiko.plots._style import PlotStyle, luminance
from napari_sashiko.plots._wiring import LAST, Link, NetworkGraph, graph_of

MOST_GRAPHS = 8
POINTS = 25  # of an arc
ROW, LEVEL, LINE = 1.6, 0.5, 0.2  # inches: a row of nodes, a level, a line of words
ROOM = 13  # points that the number of a node wants


@dataclass(frozen=True)
class Graphs(PlotData):
    """The different networks of one model."""

    graphs: tuple[NetworkGraph, ...]


def graphs_of(members: Iterable[Any]) -> Graphs:
    """Read the graphs of a model's members; networks of one shape are one picture.

    Parameters
    ----------
    members : iterable of MemberCard
        Anything with ``kind`` and ``spec``.

    Raises
    ------
    PlotError
        If none of them is a network, or of a kind that can be drawn.
    OutputError
        If a description is damaged.
    """
    specs = [each.spec for each in members if each.kind == "network"]
    if not specs:
        raise PlotError("There is no graph: this model has no network, only a forest.")
    found: dict[NetworkGraph, list[int]] = {}
    for number, spec in enumerate(specs, start=1):
        bare = graph_of(spec, str(spec.get("name")))
        found.setdefault(bare, []).append(number)
    named = [replace(graph, title=_title(graph, who)) for graph, who in found.items()]
    left = len(named) - MOST_GRAPHS
    note = f"{left} more networks are not shown." if left > 0 else ""
    return Graphs(tuple(named[:MOST_GRAPHS]), note=note)


@PLOTS.register("graph")
def graph(data: Graphs, style: PlotStyle) -> Figure:
    """Graphs of the networks.

    Nodes are feature maps, in the order in which they are computed. Edges above the
    line are convolutions, coloured by their dilation in voxels; below it, what goes
    from the input and to the output. Of a U-Net, nodes say how many maps they hold.
    """
    if not data.graphs:
        raise PlotError("There is no graph to draw.")
    columns = 3 if style.narrow else 6
    pictures = [_height(each) for each in data.graphs]
    words = [LINE * -(-len(each.kinds) // columns) for each in data.graphs]
    heights = [inches for pair in zip(pictures, words, strict=True) for inches in pair]
    figure = new_figure(style, 0.2 + sum(heights))
    rows = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, below, each in zip(rows[::2], rows[1::2], data.graphs, strict=True):
        colours = kind_colours(each.kinds, style)
        _draw_links(axes, each, colours)
        _draw_nodes(axes, each, style)
        dress(axes, style, title=each.title)
        axes.margins(0.05 if style.narrow else 0.03, 0.12)
        _name_kinds(below, colours, style, columns)
        for frame in (axes, below):
            frame.set_axis_off()
    return figure


def kind_colours(kinds: Sequence[str], style: PlotStyle) -> dict[str, str]:
    """Colour of each kind of edge: blue to yellow by dilation, faint to the end."""
    strong = [kind for kind in kinds if kind != LAST]
    # The end of the scale that would drown in the background is left out.
    low, high = (0.3, 1.0) if luminance(style.background) < 0.2 else (0.0, 0.8)
    shares = np.linspace(low, high, max(len(strong), 2))
    scale = colormaps["plasma"]
    colours = {k: to_hex(scale(s)) for k, s in zip(strong, shares, strict=False)}
    return colours | {LAST: style.faint}


def _name_kinds(
    axes: Axes, colours: Mapping[str, str], style: PlotStyle, columns: int
) -> None:
    """Say what the colours mean, in a place of its own: the picture stays wide."""
    handles = [Line2D([], [], color=c, label=kind) for kind, c in colours.items()]
    add_legend(
        axes,
        style,
        handles=handles,
        ncols=columns,
        loc="center",
        handlelength=1.2,
        columnspacing=1.2,
        borderaxespad=0.0,
    )
    legend = axes.get_legend()
    if legend is not None:
        legend.set_in_layout(False)


def _draw_links(axes: Axes, each: NetworkGraph, colours: Mapping[str, str]) -> None:
    places = _places(each)
    lines = [_line(link, places, arcs=not each.places) for link in each.links]
    many = len(lines) > 400
    axes.add_collection(
        LineCollection(
            lines,
            colors=[colours[link.kind] for link in each.links],
            linewidths=[0.6 if link.kind == LAST else 1.2 for link in each.links],
            alpha=0.4 if many else 0.85,
            rasterized=many,
        )
    )
    axes.autoscale_view()


def _line(link: Link, places: NDArray[Any], *, arcs: bool) -> NDArray[np.float64]:
    """Points of an edge: straight, or half an ellipse over the row of nodes."""
    begin, end = places[link.source], places[link.target]
    if not arcs:
        return np.array([begin, end])
    last = len(places) - 1
    side = -1.0 if link.source == 0 or link.target == last else 1.0
    angle = np.linspace(np.pi, 0.0, POINTS)
    middle, half = (begin[0] + end[0]) / 2, (end[0] - begin[0]) / 2
    height = side * np.sqrt(2 * half)
    return np.column_stack([middle + half * np.cos(angle), height * np.sin(angle)])


def _draw_nodes(axes: Axes, each: NetworkGraph, style: PlotStyle) -> None:
    places = _places(each)
    room = 72 * style.width / len(each.nodes)  # points for a node in a row
    named = bool(each.places) or room >= ROOM
    sizes = 170 if each.places else 110 if named else 12
    x, y = places.T
    axes.scatter(x, y, s=sizes, color=style.background, edgecolors=style.text, zorder=3)
    for name, place in zip(each.nodes, places, strict=True):
        at_end = name in ("input", "output")
        if not (named or at_end):
            continue
        axes.annotate(
            name,
            tuple(place),
            xytext=(0, -13 if at_end else 0),
            textcoords="offset points",
            ha="center",
            va="center",
            color=style.text,
            fontsize=WORDS - 1.5,
            fontfamily=FONT,
            zorder=4,
        )


def _places(each: NetworkGraph) -> NDArray[Any]:
    return np.array(each.places or [(i, 0.0) for i in range(len(each.nodes))])


def _height(each: NetworkGraph) -> float:
    levels = {y for _, y in each.places}
    return LEVEL * len(levels) if levels else ROW


def _title(graph: NetworkGraph, numbers: Sequence[int]) -> str:
    who = ", ".join(map(str, numbers))
    return f"{'Networks' if len(numbers) > 1 else 'Network'} {who}: {graph.title}"
