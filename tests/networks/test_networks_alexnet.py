"""An image seen at once says what each of its patches says by itself."""

import itertools

import pytest
import torch
from torch.nn import functional

from napari_sashiko.errors import SettingsError
from napari_sashiko.networks import build_network, network_from_spec

FEW = {"patch": 59, "stride": 1, "base_channels": 3, "hidden_channels": 5}


def prepared(dims, channels=2, **settings):
    """A network with statistics of its own, in double precision."""
    network = build_network(
        "alexnet", channels, 3, dims=dims, seed=4, **{**FEW, **settings}
    ).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        image = torch.randn(2, channels, *(16,) * dims, generator=generator)
        network(3.0 * image.double() + 1.0)
        for name, tensor in network.named_parameters():
            if name.endswith("bias"):  # fresh ones are zero
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return network.eval()


def of_a_patch(network, patch):
    """Logits of patches as the paper has it: strides, then a vector, dense layers."""
    conv, pool = (
        (functional.conv2d, functional.max_pool2d)
        if network.dims == 2
        else (functional.conv3d, functional.max_pool3d)
    )
    stride, x = network.settings["stride"], patch
    for level in network.levels:
        for stage in level:
            layer = stage.convolution
            x = conv(x, layer.weight, layer.bias, stride=stride)
            x, stride = functional.relu(stage.norm(x)), 1
        x = pool(x, 3, stride=2)
    x = x.flatten(1)
    for layer in (network.dense, network.hidden):
        x = functional.relu(functional.linear(x, layer.weight.flatten(1), layer.bias))
    return functional.linear(x, network.head.weight.flatten(1), network.head.bias)


@pytest.mark.parametrize(
    ("dims", "settings", "size"),
    [
        (2, {"patch": 51}, (54, 53)),
        (2, {"patch": 59}, (60, 62)),
        (2, {"patch": 67}, (68, 67)),
        (2, {"patch": 99, "stride": 2}, (100, 102)),
        (2, {"patch": 115, "stride": 2, "norm": "none"}, (117, 115)),
        (2, {"patch": 227, "stride": 4}, (228, 229)),
        (3, {"patch": 51}, (52, 51, 51)),
        (3, {"patch": 59}, (59, 59, 60)),
    ],
)
def test_an_image_at_once_is_a_sliding_window(dims, settings, size):
    network = prepared(dims, **settings)
    edge, middle = settings["patch"], settings["patch"] // 2
    generator = torch.Generator().manual_seed(2)
    image = torch.randn(1, 2, *size, generator=generator).double()
    spans = [range(n - edge + 1) for n in size]
    with torch.no_grad():
        dense = network(image)
        for start in itertools.product(*spans):
            window = (..., *(slice(s, s + edge) for s in start))
            alone = of_a_patch(network, image[window])[0]
            voxel = dense[(0, slice(None), *(s + middle for s in start))]
            torch.testing.assert_close(voxel, alone, rtol=0, atol=1e-10)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_patch_is_seen_to_its_rim_and_no_further(stride):
    edge = 56 * stride + 3
    network = prepared(2, channels=1, patch=edge, stride=stride, norm="none")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        blank = torch.zeros(1, 1, 2 * edge + 1, 2 * edge + 1).double()
        dot = blank.clone()
        dot[..., edge, edge] = 1e3
        seen = (network(dot) != network(blank)).flatten(0, 1).any(0).nonzero()
    assert network.receptive_radius == edge // 2
    assert seen.amin(0).tolist() == [edge - edge // 2] * 2
    assert seen.amax(0).tolist() == [edge + edge // 2] * 2


@pytest.mark.parametrize("size", [(40, 1, 1), (2, 40, 2), (1, 1, 1)])
def test_an_image_thinner_than_a_patch_is_seen(size):
    network = prepared(3)
    image = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.equal(network(image.double()), network(image.double() + 1))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"patch": 60}, "Take 59 or 67 voxels"),
        ({"patch": 52}, "Take 51 or 59 voxels"),
        ({"patch": 59, "stride": 2}, "Take 99 voxels or more"),
        ({"patch": 226, "stride": 4}, "Take 195 or 227 voxels"),
    ],
)
def test_a_patch_that_strides_do_not_divide_is_refused(settings, words):
    with pytest.raises(SettingsError, match=words):
        build_network("alexnet", 1, 2, dims=2, seed=0, **{**FEW, **settings})


def test_hidden_values_are_dropped_while_training_only():
    network = build_network("alexnet", 1, 2, dims=2, seed=0, **FEW, dropout=0.9)
    image = torch.randn(2, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


@pytest.mark.parametrize("dims", [2, 3])
def test_drawn_pixels_are_judged_as_among_all(dims):
    """While training, with all gradients, also where patches leave the image."""
    network = prepared(dims, patch=67, dropout=0.0).train()
    generator = torch.Generator().manual_seed(3)
    size = (40, 37) if dims == 2 else (9, 40, 12)
    image = torch.randn(2, 2, *size, generator=generator).double()
    where = torch.rand(2, *size, generator=generator) < 0.02
    found = []
    for asked in (where, None):
        network.zero_grad()
        said, penalty = network.penalised(image, asked)
        assert penalty == 0
        rows = said.movedim(1, -1)[where]
        rows.softmax(1)[:, 0].sum().backward()
        found.append([rows.detach(), *(p.grad for p in network.parameters())])
        if asked is not None:
            assert not said.movedim(1, -1)[~where].any()
    assert len(found[0][0]) > 10
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-10)


def test_models_from_before_draw_as_many_as_new_ones():
    spec = build_network("alexnet", 1, 2, dims=2, seed=0, **FEW).spec
    del spec["settings"]["pixels"]
    assert network_from_spec(spec).drawn == 100
    assert build_network("alexnet", 1, 2, dims=2, seed=0, **FEW, pixels=7).drawn == 7
