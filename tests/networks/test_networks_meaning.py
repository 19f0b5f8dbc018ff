"""The fast forms compute what the definitions say, edge by edge and layer by layer."""

import pytest
import torch
from torch.nn import functional

from napari_sashiko.networks import build_network


def prepared(name, dims, **settings):
    network = build_network(name, 2, 3, dims=dims, seed=5, **settings).double()
    gen = torch.Generator().manual_seed(1)
    image = torch.randn((2, 2, *(14,) * dims), generator=gen, dtype=torch.double)
    with torch.no_grad():
        network(3.0 * image + 1.0)
    return network.eval(), image


def same_conv(x, weight, dilation):
    conv = functional.conv2d if x.ndim == 4 else functional.conv3d
    return conv(
        x, weight, padding=dilation * (weight.shape[-1] // 2), dilation=dilation
    )


def normed(x, norm):
    shape = (1, -1, *(1,) * (x.ndim - 2))
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (x - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(
        shape
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_a_node_of_smsnet_is_the_activated_norm_of_the_sum_of_its_edges(dims):
    network, image = prepared("smsnet", dims, depth=11, width=3, p_il=0.4, p_lo=0.5)
    weights = {
        (fan.source, target): block
        for fan in network.fans
        for target, block in zip(
            fan.targets, fan.weight.chunk(len(fan.targets)), strict=True
        )
    }
    edges = network.spec["graph"]["edges"]
    assert weights.keys() == {(source, target) for source, target, _ in edges}
    values = {0: image}
    for node in range(1, 12):
        total = sum(
            same_conv(values[source], weights[source, target], dilation)
            for source, target, dilation in edges
            if target == node
        )
        values[node] = functional.relu(normed(total, network.norms[node - 1]))
    bias = network.bias.view(1, -1, *(1,) * dims)
    heads = network.spec["graph"]["heads"]
    logits = bias + sum(same_conv(values[n], network.heads[str(n)], 1) for n in heads)
    torch.testing.assert_close(network(image), logits)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("depth", [1, 8, 21])
def test_a_layer_of_msdnet_reads_the_input_and_all_earlier_maps(dims, depth):
    network, image = prepared("msdnet", dims, depth=depth, max_dilation=4)
    pieces = {layer: [] for layer in range(depth)}
    for (_, layers), weight in zip(network._across_layers, network.across, strict=True):
        for layer, row in zip(layers, weight, strict=True):
            pieces[layer].append(row[None])
    stack = image
    for layer in range(depth):
        within = [network.within[str(layer)]] if str(layer) in network.within else []
        weight = torch.cat(pieces[layer] + within, dim=1)
        assert weight.shape[1] == 2 + layer
        total = same_conv(stack, weight, layer % 4 + 1)
        new = functional.relu(normed(total, network.norms[layer]))
        stack = torch.cat((stack, new), dim=1)
    head = torch.cat(list(network.heads), dim=1)
    bias = network.bias.view(1, -1, *(1,) * dims)
    torch.testing.assert_close(network(image), same_conv(stack, head, 1) + bias)


def test_an_explicit_list_of_dilations_replaces_the_cycle():
    network = build_network("msdnet", 1, 2, dims=2, seed=0, depth=5, dilations=(1, 4))
    assert network.dilations == [1, 4, 1, 4, 1]
    assert network.receptive_radius == 11


def test_edges_that_share_source_and_dilation_are_one_convolution():
    network = build_network("smsnet", 1, 2, dims=2, seed=0, dilations=(1, 2))
    edges = [e for e in network.spec["graph"]["edges"] if e[0] > 0]
    fans = [(fan.source, fan.dilation) for fan in network.fans if fan.source > 0]
    assert sorted(fans) == sorted({(source, dilation) for source, _, dilation in edges})
    assert len(fans) < len(edges)


@pytest.mark.parametrize("width", [6, 10, 40])
def test_convolutions_of_the_input_come_in_groups_when_they_are_due(width):
    network = build_network("smsnet", 1, 2, dims=2, seed=0, width=width)
    groups = [fan.targets for fan in network.fans if fan.source == 0]
    assert max(map(len, groups)) == max(32 // width, 1)
    assert sorted(node for group in groups for node in group) == list(range(1, 21))
    due = {node: fans for node, fans in network._fans_before.items() if fans}
    assert sorted(due) == sorted(group[0] for group in groups)


def test_smsnet_never_concatenates_maps(monkeypatch):
    network, image = prepared("smsnet", 2)
    monkeypatch.setattr(torch, "cat", None)
    assert network(image).shape == (2, 3, 14, 14)


def test_a_fresh_network_keeps_the_scale_of_its_input():
    for name in ("smsnet", "msdnet", "tunet"):
        network = build_network(name, 1, 2, dims=2, seed=0, norm="none").eval()
        gen = torch.Generator().manual_seed(0)
        image = torch.randn((1, 1, 48, 48), generator=gen)
        with torch.no_grad():
            assert 0.05 < network(image).std() < 20
