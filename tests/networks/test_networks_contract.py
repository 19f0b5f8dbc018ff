"""What every registered network promises; a newcomer is tested without a new line."""

import copy
import json
import pickle
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import SMALL

from napari_sashiko.networks import NETWORKS, build_network, network_from_spec

EVERY = [(name, dims) for name in NETWORKS for dims in (2, 3)]
every = pytest.mark.parametrize(("name", "dims"), EVERY)


def small(name, dims, in_channels=1, out_channels=2, seed=0, **more):
    options = {**SMALL.get(name, {}), **more}
    return build_network(
        name, in_channels, out_channels, dims=dims, seed=seed, **options
    )


def noise(*shape, seed=0, dtype=torch.float32):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=gen, dtype=dtype)


def used(name, dims, in_channels=1):
    """A network whose running statistics are no longer those of a fresh one."""
    network = small(name, dims, in_channels)
    with torch.no_grad():
        for step in range(3):
            network(2.0 * noise(2, in_channels, *(12,) * dims, seed=step) + 1.0)
    return network.eval()


@every
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_size_and_channel_count_keep_the_spatial_shape(name, dims, data):
    size = data.draw(st.tuples(*[st.integers(1, 19)] * dims))
    channels, classes = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    network = small(name, dims, channels, classes)
    assert network(noise(2, channels, *size)).shape == (2, classes, *size)


@every
def test_a_silenced_network_says_nothing_until_it_learns(name, dims):
    network = small(name, dims).train()
    network.silence()
    said = network(noise(2, 1, *(14,) * dims))
    assert not said.any()
    (said - 1).square().sum().backward()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    optimiser.step()
    assert network(noise(2, 1, *(14,) * dims)).any()


# Single precision rounds differently for each shape of a batch; double tells a real
# dependence from rounding.
@every
@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-12)]
)
def test_a_batch_gives_what_its_patches_give_one_by_one(name, dims, dtype, close):
    network = used(name, dims).to(dtype)
    batch = noise(3, 1, *(14,) * dims, seed=9, dtype=dtype)
    with torch.no_grad():
        together = network(batch)
        alone = torch.cat([network(patch[None]) for patch in batch])
    torch.testing.assert_close(together, alone, rtol=0, atol=close)


@every
def test_of_voxels_that_count_it_says_what_it_says_of_all(name, dims):
    network = used(name, dims)
    image = noise(2, 1, *(13,) * dims)
    where = noise(2, *(13,) * dims, seed=1) > 1
    with torch.no_grad():
        said, whole = network.penalised(image, where)[0], network(image)
    assert said.shape == whole.shape
    at_places, wanted = (each.movedim(1, -1)[where] for each in (said, whole))
    torch.testing.assert_close(at_places, wanted, rtol=0, atol=1e-5)
    assert torch.isfinite(said).all()


@every
def test_far_voxels_do_not_change_a_voxel(name, dims):
    network = used(name, dims)
    radius = network.receptive_radius
    image = noise(1, 1, *(6,) * (dims - 1), 2 * radius + 9)
    middle = image.shape[-1] // 2
    changed = image + 100.0
    near = slice(middle - radius, middle + radius + 1)
    changed[..., near] = image[..., near]
    with torch.no_grad():
        before, after = network(image), network(changed)
    torch.testing.assert_close(
        after[..., middle], before[..., middle], rtol=0, atol=1e-6
    )
    assert (after - before).abs().max() > 1e-2


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_receptive_radius_is_reached_and_never_exceeded(name):
    # Positive weights and a blank image: whatever can be seen, is seen.
    network = small(name, 2, norm="none").double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        radius, align = network.receptive_radius, network.align
        length = 2 * (radius + align) + 2 * align
        start = length // 2 // align * align
        blank = torch.zeros(1, 1, 3, length, dtype=torch.double)
        reaches = []
        for place in range(start, start + align):
            dot = blank.clone()
            dot[..., place] = 1e3
            seen = (network(dot) != network(blank)).flatten(0, 2).any(dim=0)
            reaches.append((seen.nonzero() - place).abs().max().item())
    # A maximum goes back to one place of its block: not all that could be seen is.
    least = radius - 2 if name == "segnet" else radius
    assert least <= max(reaches) <= radius


@every
def test_windows_at_aligned_starts_agree_with_the_whole(name, dims):
    network = used(name, dims).double()
    radius, align = network.receptive_radius, network.align
    start = 2 * align
    size = (*(5,) * (dims - 1), start + 2 * radius + 12)
    image = noise(1, 1, *size, dtype=torch.float64)
    with torch.no_grad():
        whole, window = network(image), network(image[..., start:])
    torch.testing.assert_close(
        whole[..., start + radius :], window[..., radius:], rtol=0, atol=1e-12
    )


@every
def test_no_parameter_is_without_gradient(name, dims):
    network = used(name, dims, 2)
    for parameter in network.parameters():
        parameter.requires_grad_()
    network(noise(2, 2, *(12,) * dims)).square().mean().backward()
    idle = [
        key
        for key, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert idle == []


@every
def test_json_and_tensors_are_enough_to_rebuild(name, dims):
    network = used(name, dims)
    again = network_from_spec(json.loads(json.dumps(network.spec)))
    again.load_state_dict(network.state_dict())
    image = noise(1, 1, *(11,) * dims)
    assert again.spec == network.spec
    assert again.receptive_radius == network.receptive_radius
    assert again.align == network.align
    with torch.no_grad():
        assert torch.equal(again.eval()(image), network(image))


@every
@pytest.mark.parametrize(
    "double", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_are_equal_and_independent(name, dims, double):
    network = used(name, dims)
    image = noise(1, 1, *(9,) * dims)
    with torch.no_grad():
        before = network(image)
        other = double(network)
        assert torch.equal(other(image), before)
        for parameter in other.parameters():
            parameter.add_(1.0)
        assert torch.equal(network(image), before)


@every
def test_a_seed_decides_everything_and_nothing_global_moves(name, dims):
    def state():
        legacy = np.random.get_state()  # noqa: NPY002 - the one that libraries move
        return torch.get_rng_state(), legacy, random.getstate()

    before = state()
    first, same, other = (small(name, dims, seed=seed) for seed in (3, 3, 4))
    after = state()
    assert torch.equal(before[0], after[0])
    assert np.array_equal(before[1][1], after[1][1])
    assert before[2] == after[2]
    assert first.spec == same.spec
    for mine, theirs in zip(first.parameters(), same.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    image = noise(1, 1, *(9,) * dims)
    assert not torch.allclose(first.eval()(image), other.eval()(image))


@every
def test_folding_the_norms_changes_speed_only(name, dims):
    network = used(name, dims)
    folded = network.folded()
    image = noise(2, 1, *(13,) * dims)
    with torch.no_grad():
        torch.testing.assert_close(folded(image), network(image), rtol=0, atol=1e-5)
    assert not [key for key in folded.state_dict() if "running" in key]
    assert "batch" in json.dumps(network.spec)


@every
def test_evaluation_leaves_the_statistics_alone(name, dims):
    network = used(name, dims)
    before = copy.deepcopy(network.state_dict())
    network(5.0 * noise(2, 1, *(9,) * dims))
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


@every
def test_a_single_voxel_can_be_trained_on(name, dims):
    logits = small(name, dims).train()(noise(1, 1, *(1,) * dims))
    assert torch.isfinite(logits).all()


@every
def test_the_memory_format_does_not_change_the_result(name, dims):
    network = used(name, dims)
    last = torch.channels_last if dims == 2 else torch.channels_last_3d
    image = noise(2, 1, *(10,) * dims)
    with torch.no_grad():
        plain = network(image)
        other = network.to(memory_format=last)(image.contiguous(memory_format=last))
    torch.testing.assert_close(other, plain, rtol=0, atol=1e-5)


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_switched_off_do_not_change_the_result(name, dims, dtype):
    network = used(name, dims)
    image = noise(2, 1, *(10,) * dims)
    kept = image.clone()
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        with_grad = network(image).detach().float()
        with torch.no_grad():
            without = network(image).float()
            again = network(image).float()
    close = 1e-6 if dtype == torch.float32 else 0.1
    torch.testing.assert_close(without, with_grad, rtol=0, atol=close)
    assert torch.equal(without, again)
    assert torch.equal(image, kept)
