"""Bricks: the same laws in 2D and in 3D."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from napari_sashiko.layers import (
    Convolution,
    Dropout,
    Norm,
    UpConvolution,
    add,
    convolve,
    crop_to,
    fill_normal,
    fold_scale,
    kaiming_std,
    make_norm,
    max_around,
    max_pool,
)

both = pytest.mark.parametrize("dims", [2, 3])


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape):
    return torch.randn(shape, generator=gen())


@both
@pytest.mark.parametrize("dilation", [1, 2, 5])
def test_a_tap_of_a_dilated_kernel_shifts_the_image(dims, dilation):
    image = noise(1, 1, *(11,) * dims)
    weight = torch.zeros(1, 1, *(3,) * dims)
    weight[(0, 0, *(1,) * (dims - 1), 2)] = 1.0
    out = convolve(image, weight, dilation=dilation)
    assert torch.equal(out[..., :-dilation], image[..., dilation:])
    assert not out[..., -dilation:].any()


@both
def test_a_kernel_of_size_one_mixes_channels_only(dims):
    image, weight = noise(2, 3, *(4,) * dims), noise(5, 3, *(1,) * dims)
    bias = noise(5)
    expected = torch.einsum("oc,bcn->bon", weight.flatten(1), image.flatten(2))
    out = convolve(image, weight, bias).flatten(2)
    torch.testing.assert_close(out, expected + bias[:, None])


@both
def test_a_convolution_keeps_variance_before_a_relu(dims):
    layer = Convolution(16, 64, dims=dims, generator=gen())
    out = layer(noise(2, 16, *(24 if dims == 2 else 12,) * dims))
    inner = out[(..., *(slice(1, -1),) * dims)]
    assert inner.var().item() == pytest.approx(2.0, rel=0.15)
    assert not layer.bias.any()


def test_initial_weights_come_from_the_generator_alone():
    before = torch.get_rng_state()
    a, b, c = (torch.empty(50) for _ in range(3))
    fill_normal(a, 1.0, gen(1))
    fill_normal(b, 2.0, gen(1))
    fill_normal(c, 1.0, gen(2))
    assert torch.equal(2.0 * a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.get_rng_state())
    assert kaiming_std(8) == pytest.approx(0.5)
    assert kaiming_std(4, gain=1.0) == pytest.approx(0.5)


@both
def test_the_norm_is_torchs_batch_norm(dims):
    mine = Norm(3)
    theirs = (nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d)(3)
    for step in range(3):
        image = (step + 1.0) * noise(2, 3, *(5,) * dims) + step
        torch.testing.assert_close(mine(image), theirs(image))
    image = noise(1, 3, *(5,) * dims)
    torch.testing.assert_close(mine.eval()(image), theirs.eval()(image))


@both
def test_a_folded_norm_is_a_scale_and_a_shift(dims):
    norm = Norm(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, -1.0]))
        norm.bias.copy_(torch.tensor([0.5, 3.0]))
        norm(4.0 * noise(2, 2, *(6,) * dims) + 7.0)
    scale, shift = (part.view(1, 2, *(1,) * dims) for part in fold_scale(norm))
    image = noise(1, 2, *(4,) * dims)
    with torch.no_grad():
        torch.testing.assert_close(norm.eval()(image), image * scale + shift)


@both
def test_one_value_per_channel_is_normalised_by_the_running_statistics(dims):
    norm = Norm(2).train()
    point = torch.full((1, 2, *(1,) * dims), 3.0)
    torch.testing.assert_close(norm(point), norm.eval()(point))
    assert not norm.running_mean.any()


@both
def test_without_a_norm_there_is_a_bias(dims):
    shift = make_norm("none", 2)
    with torch.no_grad():
        shift.bias.copy_(torch.tensor([1.0, -2.0]))
    image = noise(1, 2, *(3,) * dims)
    out = shift(image)
    torch.testing.assert_close(out[:, 0], image[:, 0] + 1.0)
    torch.testing.assert_close(out[:, 1], image[:, 1] - 2.0)
    assert isinstance(make_norm("batch", 2), Norm)


@settings(max_examples=30, deadline=None)
@given(
    size=st.lists(st.integers(1, 13), min_size=2, max_size=3),
    factor=st.integers(2, 4),
)
def test_pooling_takes_maxima_of_blocks_and_of_the_partial_last_one(size, factor):
    image = noise(1, 2, *size)
    padded = [-(-n // factor) * factor - n for n in size]
    full = np.pad(
        image.numpy(),
        [(0, 0), (0, 0), *((0, p) for p in padded)],
        constant_values=-np.inf,
    )
    blocks = [part for n in full.shape[2:] for part in (n // factor, factor)]
    axes = tuple(range(3, 3 + 2 * len(size), 2))
    expected = full.reshape(1, 2, *blocks).max(axis=axes)
    assert np.array_equal(max_pool(image, factor).numpy(), expected)


@both
def test_upsampling_makes_blocks_that_do_not_overlap(dims):
    layer = UpConvolution(3, 2, dims=dims, factor=2, generator=gen())
    image = torch.zeros(1, 3, *(4,) * dims)
    image[(0, slice(None), *(1,) * dims)] = 1.0
    with torch.no_grad():
        out = layer(image)
    assert out.shape == (1, 2, *(8,) * dims)
    inside = out[(..., *(slice(2, 4),) * dims)]
    torch.testing.assert_close(inside[0], layer.weight.sum(dim=0))
    assert out.count_nonzero() == inside.count_nonzero()


def test_upsampling_without_a_transposed_convolution_is_the_same():
    layer = UpConvolution(3, 2, dims=3, factor=2, generator=gen())
    image = noise(2, 3, 4, 5, 6)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, -2.0]))
        torch.testing.assert_close(layer._in_blocks(image), layer(image))


@both
def test_cropping_cuts_the_far_end(dims):
    image, like = noise(1, 2, *(8,) * dims), noise(1, 5, *(7, 5, 8)[:dims])
    out = crop_to(image, like)
    assert out.shape == (1, 2, *like.shape[2:])
    assert torch.equal(out, image[(..., *(slice(n) for n in like.shape[2:]))])


def test_a_sum_is_made_in_place_only_where_nothing_is_differentiated():
    total, part = torch.ones(3), torch.full((3,), 2.0)
    out = add(total, part)
    assert out is not total
    assert torch.equal(total, torch.ones(3))
    with torch.no_grad():
        assert add(total, part) is total
    assert torch.equal(total, out)


@both
@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_a_maximum_around_is_of_the_voxels_that_there_are(dims, dilation):
    image = noise(2, 3, *(7,) * dims) - 10  # zeros beyond the faces would win
    found = max_around(image, 3, dilation=dilation)
    places = range(-dilation, dilation + 1, dilation)
    for voxel in [(0,) * dims, (3,) * dims, (6,) * dims, (0,) * (dims - 1) + (5,)]:
        axes = [sorted({v + p for p in places} & set(range(7))) for v in voxel]
        around = image
        for axis, chosen in enumerate(axes, start=2):
            around = around.index_select(axis, torch.tensor(chosen))
        torch.testing.assert_close(found[(..., *voxel)], around.flatten(2).amax(2))


@both
def test_an_even_kernel_lies_evenly_where_its_taps_are_an_even_distance_apart(dims):
    image = noise(1, 1, *(9,) * dims)
    weight = torch.ones(1, 1, *(2,) * dims)
    out = convolve(image, weight, dilation=4)
    corners = image[(..., *(slice(2, 7, 4),) * dims)]
    torch.testing.assert_close(out[(..., *(4,) * dims)].flatten(), corners.sum()[None])


def test_dropout_keeps_means_and_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    layer, ones = Dropout(0.4, seed=3), torch.ones(4, 8, 20, 20)
    first, second = layer(ones), layer(ones)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(first, second)
    assert first.unique().tolist() == [0.0, pytest.approx(1 / 0.6)]
    assert first.mean().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(Dropout(0.4, seed=3)(ones), first)
    assert torch.equal(layer.eval()(ones), ones)
