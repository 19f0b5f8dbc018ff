"""The random graphs of SMSNet have the statistics of the paper."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.networks import build_network
from napari_sashiko.networks._graph import (
    GraphRecipe,
    SparseGraph,
    degree_probabilities,
    sample_graph,
)


def recipe(**changes):
    plain = {
        "depth": 20,
        "k_min": 1,
        "k_max": 5,
        "gamma": 0.25,
        "alpha": 0.875,
        "p_il": 1.0,
        "p_lo": 1.0,
        "p_io": True,
        "dilations": (1, 2, 4, 8, 16),
    }
    return GraphRecipe(**{**plain, **changes})


def draw(count, **changes):
    rng = np.random.default_rng(7)
    return [sample_graph(recipe(**changes), rng) for _ in range(count)]


def hidden_edges(graph):
    return [edge for edge in graph.edges if edge.source > 0]


def expected_edges(chosen):
    return sum(
        n * p
        for node in range(1, chosen.depth)
        for n, p in degree_probabilities(chosen, node).items()
    )


def test_degrees_fall_exponentially():
    shares = degree_probabilities(recipe(), 1)
    assert list(shares) == [1, 2, 3, 4, 5]
    assert list(shares.values()) == pytest.approx(
        [0.3100, 0.2414, 0.1880, 0.1464, 0.1141], abs=5e-5
    )


def test_drawn_degrees_follow_their_probabilities():
    first = [
        sum(edge.source == 1 for edge in graph.edges) for graph in draw(1000, depth=6)
    ]
    found = [Counter(first)[n] / len(first) for n in range(1, 6)]
    assert found == pytest.approx([0.3100, 0.2414, 0.1880, 0.1464, 0.1141], abs=0.04)


@pytest.mark.parametrize(
    ("depth", "gamma", "edges"),
    [(20, 0.25, 44.16), (20, 0.0, 52.0), (20, 0.5, 37.39), (50, 0.25, 119.55)],
)
def test_the_expected_number_of_hidden_edges(depth, gamma, edges):
    assert expected_edges(recipe(depth=depth, gamma=gamma)) == pytest.approx(
        edges, abs=0.006
    )
    graphs = draw(100, depth=depth, gamma=gamma)
    mean = np.mean([len(hidden_edges(graph)) for graph in graphs])
    assert mean == pytest.approx(edges, rel=0.05)


def test_skip_lengths_fall_as_in_the_paper():
    skips = Counter(
        edge.target - edge.source
        for graph in draw(1200)
        for edge in hidden_edges(graph)
    )
    shares = [skips[n] / skips.total() for n in range(1, 7)]
    # Enumerated over all orders of drawing; a simulation of the paper's rule gave
    # .361, .269, .177, .106, .052, .021, which is the same within its noise.
    exact = [0.3636, 0.2631, 0.1764, 0.1064, 0.0546, 0.0219]
    assert shares == pytest.approx(exact, abs=4e-3)


def test_dilations_are_uniform_between_hidden_nodes_and_one_elsewhere():
    graphs = draw(200)
    drawn = Counter(edge.dilation for g in graphs for edge in hidden_edges(g))
    shares = [drawn[choice] / drawn.total() for choice in (1, 2, 4, 8, 16)]
    assert shares == pytest.approx([0.2] * 5, abs=0.02)
    assert {e.dilation for g in graphs for e in g.edges if e.source == 0} == {1}


@settings(max_examples=40, deadline=None)
@given(
    depth=st.integers(1, 40),
    k_min=st.integers(1, 4),
    more=st.integers(0, 60),
    gamma=st.floats(0, 3),
    alpha=st.floats(0, 10),
    p_il=st.floats(0, 1),
    p_lo=st.floats(0, 1),
    p_io=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_node_is_used_and_every_edge_leads_forward(depth, k_min, more, **rest):
    chosen = recipe(
        depth=depth,
        k_min=k_min,
        k_max=k_min + more,
        **{key: value for key, value in rest.items() if key != "seed"},
    )
    graph = sample_graph(chosen, np.random.default_rng(rest["seed"]))
    assert graph.is_sound()
    assert (0 in graph.heads) == rest["p_io"]
    pairs = [(edge.source, edge.target) for edge in graph.edges]
    assert len(pairs) == len(set(pairs))
    for node in range(1, depth):
        degree = sum(source == node for source, _ in pairs)
        assert min(k_min, depth - node) <= degree <= min(k_min + more, depth - node)
    assert SparseGraph.from_json(json.loads(json.dumps(graph.to_json()))) == graph


def test_input_and_output_edges_are_drawn_with_their_probabilities():
    # Nodes of a chain (k_max = 1, steep alpha) always have an edge in and out.
    graphs = draw(100, p_il=0.3, p_lo=0.6, k_max=1, alpha=10.0)
    middle = range(2, 20)
    fed = [
        any(e.source == 0 and e.target == n for e in g.edges)
        for g in graphs
        for n in middle
    ]
    read = [n in g.heads for g in graphs for n in middle]
    assert np.mean(fed) == pytest.approx(0.3, abs=0.04)
    assert np.mean(read) == pytest.approx(0.6, abs=0.04)


def test_the_radius_is_the_longest_path():
    edges = [[0, 1, 1], [0, 2, 1], [0, 3, 1], [1, 2, 8], [1, 3, 16], [2, 3, 4]]
    graph = SparseGraph.from_json({"depth": 3, "edges": edges, "heads": [0, 3]})
    assert graph.receptive_radius() == 1 + 16
    edges[4][2] = 2
    graph = SparseGraph.from_json({"depth": 3, "edges": edges, "heads": [0, 3]})
    assert graph.receptive_radius() == 1 + 8 + 4


def test_gamma_and_alpha_are_drawn_from_the_papers_ranges():
    drawn = [
        build_network("smsnet", 1, 2, dims=2, seed=s).spec["settings"]
        for s in range(30)
    ]
    gammas, alphas = ([d[key] for d in drawn] for key in ("gamma", "alpha"))
    assert 0.0 <= min(gammas) < 0.15 < 0.35 < max(gammas) <= 0.5
    assert 0.75 <= min(alphas) < 0.82 < 0.93 < max(alphas) <= 1.0
    fixed = build_network("smsnet", 1, 2, dims=2, seed=0, gamma=0.0, alpha=2.0)
    assert fixed.spec["settings"]["gamma"] == 0.0
    assert fixed.spec["settings"]["alpha"] == 2.0


def test_members_of_an_ensemble_have_different_graphs():
    graphs = [
        build_network("smsnet", 1, 2, dims=2, seed=s).spec["graph"] for s in (0, 1)
    ]
    assert graphs[0] != graphs[1]
