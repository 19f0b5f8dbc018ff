"""The fastest form of a network says what the network says."""

import pytest
import torch
from small_networks import SMALL

from napari_sashiko.checkpoints import NetworkMember, _fastest
from napari_sashiko.checkpoints._fastest import fastest
from napari_sashiko.layers import has_native
from napari_sashiko.networks import NETWORKS, Program, build_network
from napari_sashiko.runners import has_fast_bfloat16

LARGE = ("unet", "segnet", "pixelnet", "alexnet")
every = pytest.mark.parametrize("name", list(NETWORKS))
both = pytest.mark.parametrize("dims", [2, 3])


@pytest.fixture
def full(monkeypatch):
    monkeypatch.setattr(_fastest, "has_fast_bfloat16", lambda _: False)


def trained(name, dims=2, **options):
    options = {**(SMALL[name] if name in LARGE else {}), **options}
    network = build_network(name, 1, 3, dims=dims, seed=0, **options)
    gen = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(2, 1, *(16,) * dims, generator=gen) + 1)
    return network.eval()


def image(dims):
    gen = torch.Generator().manual_seed(1)
    return torch.randn(1, 1, *(24, 33, 17)[-dims:], generator=gen)


@both
@every
@pytest.mark.parametrize("native", [True, False])
def test_full_precision_is_the_network_itself(name, dims, native, full, monkeypatch):
    monkeypatch.setattr(_fastest, "has_native", lambda: native and has_native())
    network = trained(name, dims)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        expected = network(image(dims))
        torch.testing.assert_close(
            fastest(network)(image(dims)), expected, atol=1e-4, rtol=1e-4
        )
        assert torch.equal(network(image(dims)), expected)
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


def test_an_image_keeps_its_digits(monkeypatch):
    monkeypatch.setattr(_fastest, "has_fast_bfloat16", lambda _: True)
    monkeypatch.setattr(_fastest, "has_native", lambda: False)
    network = trained("tunet")
    seen = torch.randn(1, 1, 6, 24, 24, generator=torch.Generator().manual_seed(2))
    core = ((0, 6), (0, 24), (0, 24))
    member = NetworkMember(network, classifies=False)
    with torch.no_grad():
        expected = network(seen[0].movedim(0, 1)).movedim(0, 1)
        found = member.predict(seen[0], core)
        rounded = fastest(network)(seen[0].movedim(0, 1)).movedim(0, 1).float()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (rounded - expected).abs().max() > 1e-3  # what it would be otherwise


@both
@every
def test_half_the_bits_move_probabilities_by_a_few_hundredths_at_most(
    name, dims, monkeypatch
):
    monkeypatch.setattr(_fastest, "has_fast_bfloat16", lambda _: True)
    network = trained(name, dims)
    with torch.no_grad():
        found = fastest(network)(image(dims)).float().softmax(1)
        expected = network(image(dims)).softmax(1)
    assert (found - expected).abs().max() < 0.05
    assert (found - expected).abs().mean() < 0.005


@pytest.mark.skipif(not has_native(), reason="numba is not installed")
def test_narrow_maps_are_a_program_and_wide_ones_are_not():
    assert isinstance(fastest(trained("smsnet")), Program)
    assert isinstance(fastest(trained("msdnet")), Program)
    assert not isinstance(fastest(trained("smsnet", width=30, depth=3)), Program)
    assert not isinstance(fastest(trained("tunet")), Program)


def test_bfloat16_is_asked_of_the_device():
    assert has_fast_bfloat16(torch.device("cpu")) in (True, False)
    assert not has_fast_bfloat16(torch.device("mps"))
