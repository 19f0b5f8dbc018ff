"""The random graph of a sparse mixed-scale network: drawn once, saved as JSON.

Nodes: 0 is the input, 1..depth are hidden, depth + 1 is the output. Source: Roberts
et al., "DLSIA", J. Appl. Cryst. 57, 392 (2024), section 2.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import ModelError


@dataclass(frozen=True)
class Edge:
    """A dilated convolution from node ``source`` into node ``target``."""

    source: int
    target: int
    dilation: int


@dataclass(frozen=True)
class GraphRecipe:
    """The distributions from which a graph is drawn.

    Attributes
    ----------
    depth : int
        Hidden nodes, d.
    k_min, k_max : int
        Fewest and most hidden targets of a hidden node.
    gamma : float
        Degree n has probability proportional to ``exp(-gamma * n)``.
    alpha : float
        A target at distance s has weight ``exp(-alpha * s)``.
    p_il, p_lo : float
        Probability of an edge input -> hidden, hidden -> output.
    p_io : bool
        Whether the input reaches the output directly.
    dilations : tuple of int
        Choices for an edge between hidden nodes.
    """

    depth: int
    k_min: int
    k_max: int
    gamma: float
    alpha: float
    p_il: float
    p_lo: float
    p_io: bool
    dilations: tuple[int, ...]


@dataclass(frozen=True)
class SparseGraph:
    """Edges of one network.

    Attributes
    ----------
    depth : int
        Hidden nodes, numbered 1..depth.
    edges : tuple of Edge
        Into hidden nodes, from the input (0) or hidden nodes.
    heads : tuple of int
        Nodes that the output reads through a 1x1 convolution.
    """

    depth: int
    edges: tuple[Edge, ...]
    heads: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        edges = [[e.source, e.target, e.dilation] for e in self.edges]
        return {"depth": self.depth, "edges": edges, "heads": list(self.heads)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild a graph and check it.

        Raises
        ------
        ModelError
            If an entry is missing, an edge points backwards, or a node has no input.
        """
        try:
            edges = tuple(Edge(*(int(n) for n in edge)) for edge in data["edges"])
            graph = cls(int(data["depth"]), edges, tuple(int(n) for n in data["heads"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The graph of a network is damaged: {error!r}."
            ) from error
        if not graph.is_sound():
            raise ModelError("The graph of a network has edges that lead nowhere.")
        return graph

    def is_sound(self) -> bool:
        """Whether all edges lead forward and every hidden node has input and output."""
        forward = all(
            0 <= e.source < e.target <= self.depth and e.dilation >= 1
            for e in self.edges
        )
        hidden = set(range(1, self.depth + 1))
        fed = {e.target for e in self.edges}
        used = {e.source for e in self.edges} | set(self.heads)
        return forward and fed == hidden and hidden <= used <= hidden | {0}

    def receptive_radius(self) -> int:
        """Return the largest sum of dilations on a path to the output, voxels."""
        radius = [0] * (self.depth + 1)
        for edge in sorted(self.edges, key=lambda e: e.source):
            reach = radius[edge.source] + edge.dilation
            radius[edge.target] = max(radius[edge.target], reach)
        return max(radius[node] for node in self.heads)


def degree_probabilities(recipe: GraphRecipe, node: int) -> dict[int, float]:
    """Return the probability of each out-degree of hidden node ``node`` < depth."""
    later = recipe.depth - node
    degrees = np.arange(min(recipe.k_min, later), min(recipe.k_max, later) + 1)
    weights = np.exp(-recipe.gamma * degrees)
    shares = weights / weights.sum()
    return {int(n): float(p) for n, p in zip(degrees, shares, strict=True)}


def sample_graph(recipe: GraphRecipe, rng: np.random.Generator) -> SparseGraph:
    """Draw a graph; every hidden node gets at least one edge in and one out."""
    nodes = range(1, recipe.depth + 1)
    hidden = [
        Edge(node, target, int(rng.choice(recipe.dilations)))
        for node in nodes[:-1]
        for target in _draw_targets(recipe, node, rng)
    ]
    fed = {edge.target for edge in hidden}
    feeding = {edge.source for edge in hidden}
    from_input = _draw_nodes(nodes, recipe.p_il, fed, rng)
    heads = _draw_nodes(nodes, recipe.p_lo, feeding, rng)
    edges = (*(Edge(0, node, 1) for node in from_input), *hidden)
    return SparseGraph(recipe.depth, edges, ((0,) if recipe.p_io else ()) + heads)


def _draw_targets(
    recipe: GraphRecipe, node: int, rng: np.random.Generator
) -> list[int]:
    odds = degree_probabilities(recipe, node)
    degree = int(rng.choice(list(odds), p=list(odds.values())))
    distance: NDArray[np.int64] = np.arange(1, recipe.depth - node + 1)
    # Weights relative to the nearest target: exp would underflow for deep networks.
    weights = np.exp(-recipe.alpha * (distance - 1.0))
    picked: list[int] = []
    for _ in range(degree):
        step = int(rng.choice(distance, p=weights / weights.sum()))
        picked.append(node + step)
        weights[step - 1] = 0.0
    return sorted(picked)


def _draw_nodes(
    nodes: Sequence[int],
    probability: float,
    connected: set[int],
    rng: np.random.Generator,
) -> tuple[int, ...]:
    drawn = rng.random(len(nodes)) < probability
    return tuple(
        node
        for node, hit in zip(nodes, drawn, strict=True)
        if hit or node not in connected
    )
