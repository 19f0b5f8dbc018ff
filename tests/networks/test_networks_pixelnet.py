"""PixelNet judges drawn pixels alone, and says of them what it says of all."""

import pytest
import torch

from napari_sashiko.networks import build_network, network_from_spec

SIZES = {2: (37, 22), 3: (9, 19, 6)}
FEW, MANY = 3, 150  # of a patch: fewer than there are in a coarse map, and more


def small(dims=2, **settings):
    wanted = {"depth": 5, "base_channels": 4, "hidden_channels": 6, **settings}
    return build_network("pixelnet", 2, 3, dims=dims, seed=4, **wanted).double().train()


def image_of(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.double)


def places(patches, size, count, seed=1):
    """`count` places of each patch but the last, which has none."""
    where = torch.zeros(patches, *size, dtype=torch.bool)
    for number in range(patches - 1):
        rank = image_of(where[number].numel(), seed=seed + number).argsort()
        where[number].view(-1)[rank[:count]] = True
    return where


def learned(network, image, where, asked):
    """Logits at the places, and all gradients of a loss of them."""
    network.zero_grad()
    image = image.clone().requires_grad_()
    said, penalty = network.penalised(image, asked)
    assert penalty == 0
    rows = said.movedim(1, -1)[where]
    (rows.softmax(1) * torch.arange(3.0)).square().sum().backward()
    return rows.detach(), [image.grad, *(p.grad for p in network.parameters())]


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("depth", [1, 3, 5])
@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_drawn_pixels_are_judged_as_among_all(dims, depth, norm, count):
    """While training, and with all gradients, at sizes that no pooling divides."""
    network = small(dims, depth=depth, norm=norm)
    image = image_of(3, 2, *SIZES[dims])
    where = places(3, SIZES[dims], count)
    said, gradients = learned(network, image, where, where)
    wanted, known = learned(network, image, where, None)
    assert len(said) == 2 * count
    torch.testing.assert_close(said, wanted, rtol=0, atol=1e-11)
    for mine, theirs in zip(gradients, known, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-11)
    assert any(each.abs().max() > 1e-3 for each in gradients)


@pytest.mark.parametrize("dims", [2, 3])
def test_nothing_is_said_of_other_pixels(dims):
    where = places(3, SIZES[dims], MANY)
    said, _ = small(dims).penalised(image_of(3, 2, *SIZES[dims]), where)
    assert said.shape == (3, 3, *SIZES[dims])
    assert not said.movedim(1, -1)[~where].any()
    assert said.movedim(1, -1)[where].any()


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_no_layer_behind_the_encoder_sees_more_pixels_than_were_drawn(dims, count):
    network, seen = small(dims), []

    def note(_layer, given, made):
        seen.extend(each[:, 0].numel() for each in (*given, made))

    for layer in (*network.columns, network.hidden, network.head):
        layer.register_forward_hook(note)
    where = places(3, SIZES[dims], count)
    network.penalised(image_of(3, 2, *SIZES[dims]), where)
    assert len(seen) == 2 * (5 + 2)
    assert max(seen) == 2 * count
    seen.clear()
    network(image_of(3, 2, *SIZES[dims]))
    assert max(seen) == where.numel()


def test_the_perceptron_holds_memory_by_the_pixel_drawn():
    """What is kept for gradients is not hidden channels times pixels of a patch."""
    kept = []
    for asked in (None, places(2, (64, 64), 50)):
        sizes = []
        network = small(depth=2, hidden_channels=64)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, sizes=sizes: sizes.append(tensor.numel()) or tensor,
            lambda tensor: tensor,
        ):
            network.penalised(image_of(2, 2, 64, 64), asked)
        kept.append(max(sizes))
    assert kept[0] == 2 * 64 * 64 * 64
    assert kept[1] == 2 * 64 * 64 * 4  # of the encoder


def test_no_gradient_is_a_sum_in_the_order_of_threads():
    """That of an index is: runs with one seed would differ, seldom and by little."""
    said, _ = small().penalised(image_of(2, 2, 37, 22), places(2, (37, 22), MANY))
    steps, found = [said.grad_fn], set()
    while steps:
        step = steps.pop()
        if step is not None and step not in found:
            found.add(step)
            steps += [before for before, _ in step.next_functions]
    names = {step.name() for step in found}
    assert "EmbeddingBackward0" in names
    assert "IndexBackward0" not in names


def test_bfloat16_adds_up_the_gradients_of_many_pixels():
    """Hundreds of pixels share one of the coarsest map."""
    network = small(norm="none", hidden_channels=16).float()
    image, where = image_of(1, 2, 64, 64).float(), torch.ones(1, 64, 64).bool()
    found = []
    for mixed in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            said, _ = network.penalised(image, where)
        said.float()[:, 0].sum().backward()
        found.append([column.bias.grad.clone() for column in network.columns])
    for exact, mixed in zip(*found, strict=True):
        assert (mixed - exact).norm() < 0.03 * exact.norm()


def test_models_from_before_draw_as_many_as_new_ones():
    network = small()
    spec = network.spec
    del spec["settings"]["pixels"]
    assert network_from_spec(spec).drawn == small().drawn == 2000
    assert small(pixels=7).drawn == 7
    assert network_from_spec(small(pixels=7).spec).drawn == 7
