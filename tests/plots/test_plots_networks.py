"""Graphs of real networks are drawn as these are wired."""

from types import SimpleNamespace

import pytest

from napari_sashiko.errors import OutputError, PlotError
from napari_sashiko.networks import NETWORKS, build_network
from napari_sashiko.plots import LIGHT, PLOTS, graphs_of, render
from napari_sashiko.plots._wiring import LAST, MOST_EDGES, graph_of


def spec_of(name, seed=0, **settings):
    return build_network(name, 1, 3, dims=2, seed=seed, **settings).spec


def member(spec, kind="network"):
    return SimpleNamespace(kind=kind, spec=spec)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_can_be_drawn(name):
    data = graphs_of([member(spec_of(name))])
    assert render(PLOTS["graph"](data, LIGHT)).startswith(b"\x89PNG")


@pytest.mark.parametrize("seed", range(3))
def test_an_smsnet_is_drawn_with_its_own_edges(seed):
    network = build_network("smsnet", 1, 2, dims=3, seed=seed)
    graph = graph_of(network.spec, "x")
    convolutions = [link for link in graph.links if link.kind != LAST]
    found = [[k.source, k.target, int(k.kind.split()[-1])] for k in convolutions]
    assert found == network.graph["edges"]
    heads = [link.source for link in graph.links if link.kind == LAST]
    assert heads == network.graph["heads"]
    assert len(graph.nodes) == network.graph["depth"] + 2


def test_every_layer_of_an_msdnet_reads_all_before_it():
    network = build_network("msdnet", 1, 2, dims=2, seed=0, depth=9, max_dilation=4)
    graph = graph_of(network.spec, "x")
    for layer, dilation in enumerate(network.dilations, start=1):
        into = [link for link in graph.links if link.target == layer]
        assert sorted(link.source for link in into) == list(range(layer))
        assert {link.kind for link in into} == {f"dilation {dilation}"}
    assert sum(link.kind == LAST for link in graph.links) == 10


def test_of_a_deep_msdnet_the_shortest_edges_are_drawn_and_it_is_said():
    graph = graph_of(spec_of("msdnet", depth=200), "msdnet")
    drawn = [link for link in graph.links if link.kind != LAST]
    assert len(drawn) == MOST_EDGES
    assert f"the {MOST_EDGES} shortest of 20100 edges" in graph.title
    longest = max(link.target - link.source for link in drawn)
    every = [link for link in drawn if link.target - link.source < longest]
    assert len(every) == sum(201 - length for length in range(1, longest))


def test_a_tunet_goes_down_and_up_through_its_channels():
    network = build_network(
        "tunet", 1, 2, dims=2, seed=0, depth=3, base_channels=8, growth_rate=1.5
    )
    graph = graph_of(network.spec, "x")
    assert graph.nodes == ("input", "8", "12", "18", "12", "8", "output")
    skips = [(k.source, k.target) for k in graph.links if k.kind == "skip"]
    assert skips == [(1, 5), (2, 4)]
    for source, target in skips:
        assert graph.places[source][1] == graph.places[target][1]


def test_networks_of_one_shape_are_one_picture_and_forests_none():
    members = [
        member({"sigmas": [1]}, "forest"),
        member(spec_of("tunet", seed=1)),
        member(spec_of("smsnet", seed=2)),
        member(spec_of("tunet", seed=3)),
    ]
    titles = [graph.title for graph in graphs_of(members).graphs]
    assert titles == ["Networks 1, 3: tunet", "Network 2: smsnet"]
    with pytest.raises(PlotError, match="only a forest"):
        graphs_of(members[:1])


def test_many_networks_are_bounded_and_the_rest_is_said():
    data = graphs_of([member(spec_of("smsnet", seed=n, depth=3)) for n in range(20)])
    assert len(data.graphs) == 8
    assert "more networks" in data.note


def _damaged(change):
    spec = spec_of("smsnet")
    change(spec)
    return spec


@pytest.mark.parametrize(
    "spec",
    [
        _damaged(lambda s: s.pop("graph")),
        _damaged(lambda s: s["graph"].pop("edges")),
        _damaged(lambda s: s["graph"]["edges"].append([5, 2, 1])),
        _damaged(lambda s: s["graph"]["edges"].append([1, 99, 1])),
        _damaged(lambda s: s["graph"].update(depth="deep")),
        {"name": "msdnet"},
        {"name": "tunet", "settings": {"depth": 2}},
    ],
)
def test_a_damaged_description_is_said(spec):
    with pytest.raises(OutputError, match="damaged"):
        graph_of(spec, "network 1")


def test_an_unknown_network_has_no_picture():
    with pytest.raises(PlotError, match="'resnet'"):
        graph_of({"name": "resnet"}, "network 1")


def test_a_tunet3plus_gathers_at_every_level_from_all_others():
    graph = graph_of(spec_of("tunet3plus", depth=4), "x")
    assert graph.nodes == ("input", "16", "32", "64", "128", *["64"] * 3, "output")
    for level, node in ((2, 5), (1, 6), (0, 7)):
        into = {link.source for link in graph.links if link.target == node}
        encoder = {each + 1 for each in range(level + 1)}
        below = set(range(5, node))
        assert into == encoder | below | {4}


def test_a_pixelnet_reads_all_levels_at_once():
    graph = graph_of(spec_of("pixelnet", depth=3, base_channels=8), "x")
    assert graph.nodes == ("input", "8", "16", "32", "4096", "4096", "output")
    column = {link.source for link in graph.links if link.target == 4}
    assert column == {1, 2, 3}


def test_an_alexnet_is_a_chain_of_eight_layers():
    graph = graph_of(spec_of("alexnet", base_channels=6, hidden_channels=9), "x")
    widths = ("6", "16", "24", "24", "16", "9", "9")
    assert graph.nodes == ("input", *widths, "output")
    assert [(k.source, k.target) for k in graph.links] == [(n, n + 1) for n in range(8)]
    assert sum("pooling" in link.kind for link in graph.links) == 3


def test_a_segnet_sends_maxima_back_to_their_places():
    graph = graph_of(spec_of("segnet", depth=2, base_channels=8), "x")
    back = [(k.source, k.target) for k in graph.links if k.kind == "places of maxima"]
    assert graph.nodes == ("input", "8", "16", "pooled", "16", "8", "output")
    assert back == [(1, 5), (2, 4)]
