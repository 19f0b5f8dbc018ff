"""Programs: a network as compiled sums gives the voxels of the network itself."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.layers import has_native, native_sum
from napari_sashiko.networks import build_network

pytestmark = pytest.mark.skipif(not has_native(), reason="numba is not installed")

KINDS = [
    ("smsnet", {"depth": 7, "width": 3, "dilations": (1, 2, 5)}),
    ("smsnet", {"depth": 4, "width": 30}),  # more maps than registers
    ("smsnet", {"depth": 5, "width": 1, "p_lo": 0.3, "p_io": False}),
    ("msdnet", {"depth": 23, "max_dilation": 4}),
    ("msdnet", {"depth": 5, "dilations": (17, 1)}),
]
each_kind = pytest.mark.parametrize(("name", "options"), KINDS)
both = pytest.mark.parametrize("dims", [2, 3])


def noise(*shape, seed=0):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=gen)


def used(name, dims, options, in_channels=2, seed=0):
    network = build_network(name, in_channels, 3, dims=dims, seed=seed, **options)
    with torch.no_grad():
        for step in range(3):
            network(2.0 * noise(2, in_channels, *(9,) * dims, seed=step) + 1.0)
    return network.eval()


def assert_same(network, x):
    with torch.no_grad():
        expected, found = network(x), network.folded().program()(x)
    scale = max(float(expected.abs().max()), 1.0)
    torch.testing.assert_close(found / scale, expected / scale, atol=1e-5, rtol=0)


@both
@each_kind
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_program_is_its_network_at_any_size(name, options, dims, data):
    size = data.draw(st.tuples(*[st.integers(1, 37)] * dims))
    batch, seed = data.draw(st.integers(1, 2)), data.draw(st.integers(0, 3))
    assert_same(used(name, dims, options, seed=seed), noise(batch, 2, *size))


@both
@each_kind
def test_rows_longer_than_a_stretch_and_threads_change_nothing(name, options, dims):
    assert_same(used(name, dims, options), noise(1, 2, *(3, 150, 131)[-dims:]))


@both
@pytest.mark.parametrize("name", ["smsnet", "msdnet"])
def test_nothing_of_an_earlier_patch_is_left(name, dims):
    network = used(name, dims, {"depth": 6})
    program = network.folded().program()
    wide, narrow = noise(1, 2, *(20,) * dims), noise(1, 2, *(20,) * (dims - 1), 18)
    with torch.no_grad():
        first = program(wide)
        torch.testing.assert_close(
            program(narrow), network(narrow), atol=1e-4, rtol=1e-4
        )
        assert torch.equal(program(wide), first)


@pytest.mark.parametrize("name", ["smsnet", "msdnet"])
def test_voxels_that_are_no_number_stay_so(name):
    network = used(name, 2, {"depth": 4})
    image = noise(1, 2, 12, 12)
    image[0, 0, 6, 6] = torch.nan
    with torch.no_grad():
        lost = network.folded().program()(image).isnan()
        assert torch.equal(lost, network(image).isnan())
    assert lost.any()


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_width_of_vectors_gives_the_same(lanes, monkeypatch):
    native_sum.cache_clear()
    monkeypatch.setattr("napari_sashiko.layers._native_code.lanes_here", lambda: lanes)
    try:
        assert_same(used("smsnet", 3, {"depth": 5, "width": 5}), noise(1, 2, 5, 6, 45))
    finally:
        native_sum.cache_clear()


def test_a_map_gives_its_place_to_another_after_its_last_use():
    program = used("smsnet", 3, {"depth": 40, "width": 4}).folded().program()
    assert program.planes < 2 + 40 * 4 / 2


def test_a_network_with_norms_or_without_sums_has_no_program():
    assert used("smsnet", 2, {"depth": 3}).program() is None
    assert used("msdnet", 2, {"depth": 3}).program() is None
    assert used("tunet", 2, {"depth": 2}).folded().program() is None
